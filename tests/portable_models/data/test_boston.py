"""Boston: the embedded table, its order and cut, and the files that hold the same."""

import hashlib
import importlib
from importlib import resources

import numpy as np
import pytest

from portable_models.data import FEATURES, DataError, load, load_boston

FIRST_TARGETS = [15.2, 42.3, 50.0, 21.1, 17.7, 18.5]


def test_the_first_training_targets_are_the_published_ones():
    assert load_boston().train.y[:6].tolist() == FIRST_TARGETS


def test_parts_and_types():
    data = load("boston")
    assert (data.name, data.kind, data.synthetic) == ("boston", "sample", False)
    assert (data.train.x.shape, data.test.x.shape) == ((404, 13), (102, 13))
    assert {data.train.x.dtype, data.train.y.dtype} == {np.dtype(np.float64)}
    assert len(FEATURES) == 13


def test_the_embedded_table_is_that_of_scikit_learn():
    content = (resources.files("portable_models.data") / "boston_housing.csv").read_bytes()
    digest = "d98212636026544fc9b9c0f372e5f819872e6fa6fa757ab025efdda22180f2d6"
    assert hashlib.sha256(content).hexdigest() == digest
    assert content.splitlines()[1].decode().replace('"', "") == ",".join((*FEATURES, "MEDV"))


def test_the_digest_is_the_same_everywhere():
    # Computed from the CSV apart from this package.
    digest = "838396bbb13315ae85d07aff86c530953148990dc291bba586a1cc1c2c2bdf8c"
    assert load_boston().digest() == digest


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    return {"x": rng.random((30, 13)), "y": rng.random(30)}


def test_a_file_is_shuffled_and_cut_as_keras_datasets_does(save, table, monkeypatch):
    path = save(table, "boston_housing.npz")
    module = importlib.import_module("keras.src.datasets.boston_housing")
    monkeypatch.setattr(module, "get_file", lambda *_, **__: str(path))
    (x_train, y_train), (x_test, y_test) = module.load_data()
    data = load_boston(path)
    np.testing.assert_array_equal(data.train.x, x_train)
    np.testing.assert_array_equal(data.train.y, y_train)
    np.testing.assert_array_equal(data.test.x, x_test)
    np.testing.assert_array_equal(data.test.y, y_test)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((5, 12)), np.ones(5), r"x of shape \(n, 13\) .* got \(5, 12\)"),
        (np.ones((5, 13)), np.ones(4), r"got \(5, 13\) and \(4,\)"),
        (np.ones(13), np.ones(13), r"got \(13,\)"),
        (np.ones((1, 13)), np.ones(1), "rows to train on and to test with, got 1"),
        (np.full((5, 13), np.nan), np.ones(5), "expected finite numbers"),
        (np.ones((5, 13)), np.full(5, np.inf), "expected finite numbers"),
        (np.full((5, 13), "1"), np.ones(5), "expected numbers, got x of <U1"),
        (np.ones((5, 13)), np.ones(5, complex), "expected numbers, got .* y of complex128"),
    ],
)
def test_tables_of_another_shape_are_refused(save, x, y, message):
    path = save({"x": x, "y": y}, "boston_housing.npz")
    with pytest.raises(DataError, match=message) as failure:
        load_boston(path)
    assert "\n" not in str(failure.value)


def test_a_pickled_table_names_the_option_that_trusts(save, table):
    path = save({"x": table["x"].astype(object), "y": table["y"]}, "boston_housing.npz")
    with pytest.raises(DataError, match=r"holds pickled arrays \(x\).*--trust"):
        load_boston(path)


@pytest.mark.full_data
def test_the_full_file_holds_the_same_numbers_as_the_embedded_table():
    full, sample = load_boston("full"), load_boston("sample")
    assert full.kind == "full"
    assert full.digest() == sample.digest()
