"""k-fold cross-validation: folds, standardisation with and without the leak, and their seeds."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, cross_validate
from portable_models.data import ArraySamples
from portable_models.training.cross_validation import fold_indices, standardised

RECIPE = Recipe(loss="mse", metrics=("mae",), epochs=2, batch_size=4)


def samples(count=22):
    rng = np.random.default_rng(1)
    x = rng.random((count, 3)) * 100
    return ArraySamples(x, x.mean(axis=1))


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def test_folds_are_the_published_ones():
    folds = fold_indices(22, 4)
    assert [list(validation) for _, validation in folds] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
        [10, 11, 12, 13, 14],
        [15, 16, 17, 18, 19],
    ]
    for training, validation in folds:
        assert sorted([*training, *validation]) == list(range(22))


@pytest.mark.parametrize("folds", [1, 0, 23])
def test_a_number_of_folds_that_does_not_fit_is_refused(folds):
    with pytest.raises(ValueError, match="expected 2 to 22 folds for 22 rows"):
        fold_indices(22, folds)


def test_standardisation_per_fold_does_not_see_the_validation_rows():
    data = samples()
    training, validation = data.subset(np.arange(10)), data.subset(np.arange(10, 22))
    inside, outside = standardised(training, validation)
    mean, deviation = training.x.mean(axis=0), training.x.std(axis=0)
    # Computed in float64 and rounded once to float32.
    np.testing.assert_allclose(inside.x, (training.x - mean) / deviation, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(outside.x, (validation.x - mean) / deviation, rtol=1e-6, atol=1e-6)


def test_the_two_standardisations_train_differently_and_the_mean_is_over_folds():
    once = cross_validate(build, samples(), RECIPE, standardisation="once")
    per_fold = cross_validate(build, samples(), RECIPE, standardisation="per_fold")
    assert once.mean != per_fold.mean
    assert len(once.folds) == 4
    assert once.mean["val_mae"][-1] == pytest.approx(np.mean(once.last("val_mae")), rel=1e-12)


def test_each_fold_has_its_own_seed():
    result = cross_validate(build, samples(), RECIPE)
    for digest in ("initial_weights", "order"):
        assert len({fold.digests[digest] for fold in result.folds}) == 4


def test_epochs_are_counted_over_all_folds():
    told = []
    cross_validate(
        build, samples(), RECIPE, on_epoch=lambda epoch, epochs, _: told.append((epoch, epochs))
    )
    assert told == [(epoch, 8) for epoch in range(1, 9)]


def test_an_unknown_standardisation_is_refused():
    with pytest.raises(ValueError, match="expected once, per_fold or none"):
        cross_validate(build, samples(), RECIPE, standardisation="twice")
