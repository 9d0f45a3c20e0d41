"""Features scaled by the training rows alone."""

import numpy as np
import pytest

from portable_models.data import load_boston, standardise
from portable_models.data.samples import digest_arrays

RNG = np.random.default_rng(5)
TRAIN, OTHER = RNG.random((50, 4)) * [1, 10, 1e3, 1e-3] + [0, 5, 1e4, 0], RNG.random((7, 4))


def test_the_training_mean_and_population_deviation_are_used_for_all():
    mean, deviation = TRAIN.mean(axis=0), TRAIN.std(axis=0)
    for result, rows in zip(standardise(TRAIN, OTHER), (TRAIN, OTHER), strict=True):
        assert result.dtype == np.float32
        # float64 sums of 50 numbers differ by a few of its ulps, magnified by |mean| / deviation (< 100).
        np.testing.assert_allclose(result, (rows - mean) / deviation, rtol=2e-7, atol=1e-12)


def test_other_rows_do_not_change_the_training_rows():
    alone, beside = standardise(TRAIN)[0], standardise(TRAIN, OTHER * 1000)[0]
    np.testing.assert_array_equal(alone, beside)


def test_a_constant_column_is_centred_only():
    train = np.column_stack([np.full(10, 0.1), np.arange(10)])
    first, second = standardise(train, [[0.35, 0.0]])
    assert (first[:, 0] == 0).all()
    assert second[0, 0] == np.float32(0.25)


def test_the_result_on_boston_is_the_same_everywhere():
    data = load_boston()
    # Computed in rational arithmetic and a decimal square root of 60 digits.
    digest = "f49079f6e65fe7f5a9a29866989bdcdcf3a3a19118ca4e3df4cdd919fdd1bc2f"
    assert digest_arrays(*standardise(data.train.x, data.test.x)) == digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0],), r"must have the shape \(rows, features\), got \(2,\)"),
        ((np.empty((0, 3)),), r"got \(0, 3\)"),
        ((TRAIN, OTHER[:, :2]), r"expected 4 columns of features, got the shape \(7, 2\)"),
        ((TRAIN, OTHER[0]), r"expected 4 columns of features, got the shape \(4,\)"),
        ((np.array([[np.nan], [1.0]]),), "must be finite"),
    ],
)
def test_features_of_another_shape_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        standardise(*arguments)
