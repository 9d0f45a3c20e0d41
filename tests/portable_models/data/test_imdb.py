"""Reviews: numbered and shuffled as Keras does, checked, and described truthfully."""

import hashlib
import importlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from portable_models.data import (
    DataError,
    archive,
    decode_review,
    load,
    load_imdb,
    multi_hot,
    parsed,
)

from .conftest import ragged


def keras_reviews(monkeypatch, path, num_words):
    """What keras.datasets.imdb itself makes of a file."""
    module = importlib.import_module("keras.src.datasets.imdb")
    monkeypatch.setattr(module, "get_file", lambda **_: str(path))
    return module.load_data(num_words=num_words)


def assert_as_keras(monkeypatch, path, num_words, rows):
    data = load_imdb(path, num_words=num_words, trust=True)
    (x_train, y_train), (x_test, y_test) = keras_reviews(monkeypatch, path, num_words)
    assert [list(row) for row in data.test_sequences] == [list(row) for row in x_test]
    for samples, x, y in ((data.train, x_train, y_train), (data.test, x_test, y_test)):
        assert len(samples) == len(x)
        np.testing.assert_array_equal(samples.y, y)
        some = np.arange(len(x))[:: max(1, len(x) // rows)]
        expected = np.zeros((len(some), num_words), np.float32)
        for row, index in enumerate(some):
            expected[row, x[index]] = 1.0
        np.testing.assert_array_equal(samples.take(some).x, expected)


@pytest.mark.parametrize("num_words", [8, 10_000])
def test_reviews_are_those_of_keras_datasets(save, reviews, monkeypatch, num_words):
    assert_as_keras(monkeypatch, save(reviews), num_words, rows=5)


def test_targets_are_float32_of_one_dimension(save, reviews):
    data = load_imdb(save(reviews), trust=True)
    assert (data.train.y.dtype, data.train.y.shape) == (np.float32, (5,))
    assert data.train.take(np.arange(2)).x.shape == (2, 10_000)


def test_test_sequences_belong_row_for_row_to_the_test_samples(save, reviews):
    data = load_imdb(save(reviews), trust=True)
    rows = np.arange(len(data.test))
    np.testing.assert_array_equal(multi_hot(data.test_sequences, 10_000), data.test.take(rows).x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": np.array([0, 1, 2, 1])}, "y_train must hold the labels 0 and 1 only"),
        ({"y_train": np.array([0.5, 1, 0, 1])}, "y_train must hold the labels 0 and 1 only"),
        ({"y_test": np.array(["a", "b"])}, "y_test must hold the labels 0 and 1 only"),
        ({"y_train": np.array([0, 1, 1])}, r"as many reviews as labels, got .*\(4, 3\).*\(3,\)"),
        ({"y_test": np.zeros((2, 1), int)}, r"as many reviews as labels, got .*\(2, 1\)"),
        ({"x_test": np.zeros((2, 1, 1), int)}, r"as many reviews as labels, got .*\(2, 1, 1\)"),
        ({"x_test": np.array(3)}, "as many reviews as labels"),
        ({"x_train": -np.ones((4, 3), int)}, "x_train holds the negative word rank -1"),
        ({"x_train": np.ones((4, 3))}, "x_train must hold lists of word ranks: .* type float64"),
        ({"x_train": np.ones(4, int)}, "x_train must hold lists of word ranks: a sequence of word"),
        ({"x_test": np.zeros((0, 3), int), "y_test": np.zeros(0, int)}, "x_test holds no reviews"),
    ],
)
def test_arrays_that_are_no_reviews_are_refused(save, plain_reviews, change, message):
    path = save(plain_reviews | change)
    with pytest.raises(DataError, match=message) as failure:
        load_imdb(path)
    assert str(path) in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["good film", "bad film"], "must be a list of integers, got 'good film'"),
        ([["good"], ["bad"]], "must be integers"),
        ([[1.5], [2]], "must be integers"),
        ([[True], [False]], "must be integers"),
        ([[[1], [2]], [[3], [4]]], "must be integers"),
        ([[[1], [2, 3]], [4]], "must hold lists of word ranks"),
        ([[2**63], [1]], "at most 64 bits"),
        ([[2**70], [1]], "at most 64 bits"),
        ([None, [1]], "must be a list of integers, got None"),
        ([[-2], [1]], "x_test holds the negative word rank -2"),
    ],
)
def test_lists_that_are_no_reviews_are_refused(save, reviews, rows, message):
    reviews["x_test"], reviews["y_test"] = ragged(*([[]] * 2)), np.array([0, 1])
    reviews["x_test"][:] = rows
    path = save(reviews)
    with pytest.raises(DataError, match=message) as failure:
        load_imdb(path, trust=True)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("num_words", [-1, 0, 4])
def test_too_few_words_are_refused(num_words):
    with pytest.raises(ValueError, match=f"num_words must be at least 5, got {num_words}"):
        load_imdb("sample", num_words=num_words)


def test_a_file_says_what_it_is(save, plain_reviews):
    data = load("imdb", save(plain_reviews))
    assert (data.name, data.kind, data.synthetic) == ("imdb", "path", False)
    assert "SHA-256" in data.description
    assert "4 training and 2 test reviews" in data.description


def test_the_word_index_beside_the_file_is_read(save, plain_reviews):
    path = save(plain_reviews)
    assert load_imdb(path).word_index is None
    (path.parent / "imdb_word_index.json").write_text(json.dumps({"film": 1}))
    assert load_imdb(path).word_index == {"film": 1}


def test_what_is_kept_is_what_was_parsed(save, plain_reviews, monkeypatch, tmp_path):
    path = save(plain_reviews)
    monkeypatch.setenv("PORTABLE_MODELS_CACHE", str(tmp_path / "cache"))
    known = {hashlib.sha256(path.read_bytes()).hexdigest(): "reviews for a test"}
    for module in (parsed, archive):
        monkeypatch.setattr(module, "KNOWN_ARCHIVES", known)
    first, second = load_imdb(path), load_imdb(path)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert first.description == second.description
    assert first.digest() == second.digest()
    for a, b in zip(first.test_sequences, second.test_sequences, strict=True):
        np.testing.assert_array_equal(a, b)
    # A file of the cache that points beside its words is not taken.
    (kept,) = (tmp_path / "cache").iterdir()
    with np.load(kept) as held:
        arrays = dict(held)
    arrays["train_offsets"][-1] += 1
    np.savez(kept, **arrays)
    assert load_imdb(path).digest() == first.digest()


@pytest.mark.full_data
def test_the_real_reviews_are_those_of_keras_datasets(monkeypatch):
    path = Path(os.environ["PORTABLE_MODELS_DATA"]) / "imdb.npz"
    assert_as_keras(monkeypatch, path, 10_000, rows=200)


@pytest.fixture(scope="module")
def real():
    return load_imdb("full")


@pytest.mark.full_data
def test_facts_of_the_real_reviews(real):
    assert (real.kind, real.synthetic) == ("full", False)
    assert len(real.train) == len(real.test) == 25_000
    assert real.train.y.sum() == real.test.y.sum() == 12_500
    different = np.diff(real.train.offsets)
    # Published for this vectorisation: 132 different words on average, 589 at most.
    assert round(different.mean()) == 132
    assert different.max() == 589


@pytest.mark.full_data
def test_a_real_review_decodes_to_english(real):
    words = decode_review(real.test_sequences[0], real.word_index).split()
    assert words[0] == "?"  # the start token
    common = {"the", "and", "a", "of", "to", "is", "in", "it", "i", "this"}
    assert len(common & set(words)) >= 5
    assert words.count("?") < len(words) / 4
