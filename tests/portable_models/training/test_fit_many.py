"""Members of one ``fit_many`` come out as they would alone; on the backend of this process."""

import keras
import numpy as np
import pytest

from portable_models import Checkpoint, Member, Recipe, fit_many, portable_random
from portable_models.data import MultiHotSamples
from portable_models.training import TrainingInterrupted

from .study import fit

ROWS = 21


def build():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )


def rows(seed=0):
    x = np.random.default_rng(seed).normal(size=(ROWS, 4)).astype("float32")
    return x, x.sum(axis=1)


def sgd(rate):
    return {"class_name": "SGD", "config": {"learning_rate": rate, "momentum": 0.9}}


RECIPE = Recipe(optimizer=sgd(0.01), loss="mse", metrics=("mae",), epochs=4, batch_size=4)


def member(recipe, samples, validation=None):
    with portable_random(recipe.seed):
        model = build()
    return Member(model, samples, recipe, validation)


def members():
    """Other seeds, other rates, other rows, and one with fewer rows."""
    shared = rows()
    fewer = tuple(array[:-2] for array in rows(9))
    return [
        member(RECIPE.replace(seed=1), shared, rows(7)),
        member(RECIPE.replace(seed=2), shared, rows(7)),
        member(RECIPE.replace(seed=2, optimizer=sgd(0.03)), rows(5), rows(6)),
        member(RECIPE.replace(seed=4), fewer, rows(7)),
    ]


def test_a_member_comes_out_as_it_does_alone():
    together = members()
    found = fit_many(together)
    assert {each.engine for each in found} == {"compiled"}
    for one, training, again in zip(together, found, members(), strict=True):
        alone = fit(again.model, again.samples, again.recipe, validation=again.validation)
        assert training.digests == alone.digests
        assert training.history.keys() == alone.history.keys()
        for name, values in alone.history.items():
            # Products of matrices are summed in another order where members are mapped over: a few
            # roundings of numbers of order 1, in 24 steps.
            np.testing.assert_allclose(training.history[name], values, rtol=5e-6, err_msg=name)
        for a, b in zip(one.model.get_weights(), again.model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=5e-6, atol=5e-6)
    assert len({training.history["loss"][-1] for training in found}) == 4


PATIENT = {"class_name": "EarlyStopping", "config": {"monitor": "loss", "patience": 99}}


@pytest.mark.parametrize("callbacks", [(), (PATIENT,)], ids=["together", "in turn"])
def test_bags_of_words_of_every_member_reach_its_own_layer(callbacks):
    rng = np.random.default_rng(2)
    bags = [np.flatnonzero(rng.random(4) < 0.5) for _ in range(ROWS)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])])
    words = MultiHotSamples(np.concatenate(bags).astype("int32"), offsets, 4, rows()[1])
    recipes = [RECIPE.replace(seed=seed, callbacks=callbacks, epochs=2) for seed in (1, 2, 3)]
    group = [member(recipe, words) for recipe in recipes]
    for training, each in zip(fit_many(group), group, strict=True):
        alone = fit(member(each.recipe, words).model, words, each.recipe, engine="keras")
        assert training.engine == "compiled"
        np.testing.assert_allclose(training.history["loss"], alone.history["loss"], rtol=5e-6)


def test_members_that_share_their_samples_hold_them_once():
    shared = rows()
    pair = [member(RECIPE.replace(seed=seed), shared) for seed in (1, 2)]
    alone = [member(RECIPE.replace(seed=seed), shared) for seed in (1, 2)]
    for training, each in zip(fit_many(pair), alone, strict=True):
        expected = fit(each.model, each.samples, each.recipe).history["loss"]
        np.testing.assert_allclose(training.history["loss"], expected, rtol=5e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 5}, "members must have the same epochs: the first has 4, number 2 has 5"),
        ({"optimizer": "adam"}, "members must have the same optimizer"),
        ({"batch_size": 2}, "members must have the same batch_size"),
        (
            {"optimizer": {"class_name": "SGD", "config": {"momentum": 0.5}}},
            "members must have the same optimizer",
        ),
    ],
)
def test_members_that_are_not_alike_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        fit_many([member(RECIPE, rows()), member(RECIPE.replace(**changes), rows())])


def test_no_member_is_an_error():
    with pytest.raises(ValueError, match="at least one member"):
        fit_many([])


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self.epochs


def test_callbacks_of_a_member_stop_only_that_member():
    def stopping(epochs):
        return lambda: StopAfter(epochs)

    recipes = [RECIPE.replace(callbacks=(stopping(epochs),)) for epochs in (1, 4)]
    found = fit_many([member(recipe, rows()) for recipe in recipes], warn=False)
    assert [len(each.history["loss"]) for each in found] == [1, 4]


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_an_interrupted_training_keeps_its_history(engine):
    def interrupt(epoch, epochs, metrics):
        if epoch == 2:
            raise KeyboardInterrupt

    recipe = RECIPE.replace(epochs=9)
    model = member(recipe, rows()).model
    with pytest.raises(TrainingInterrupted, match=r"interrupted after \d epochs") as caught:
        fit(model, rows(), recipe, engine=engine, progress=interrupt)
    assert isinstance(caught.value, KeyboardInterrupt)
    (training,) = caught.value.trainings
    # The compiled engine may have gone through more epochs by then than it has told of.
    ran = len(training.history["loss"])
    assert 2 <= ran < 9 if engine == "compiled" else ran == 2
    again = member(recipe, rows()).model
    whole = fit(again, rows(), recipe.replace(epochs=ran), engine=engine)
    assert training.history == whole.history
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ahead", [1, 2])
def test_members_go_on_from_checkpoints_of_their_own(ahead, tmp_path):
    """Those that stand at the same epoch are trained side by side, each with rows of its own."""

    def group(epochs):
        recipes = [RECIPE.replace(seed=seed, epochs=epochs) for seed in (1, 2, 3, 4)]
        made = [member(recipe, rows(recipe.seed)) for recipe in recipes]
        return [
            Member(each.model, each.samples, each.recipe, None, Checkpoint(tmp_path / f"{n}.npz"))
            for n, each in enumerate(made)
        ]

    fit_many(group(2)[:ahead])
    found = fit_many(group(4))
    assert [len(each.history["loss"]) for each in found] == [4, 4, 4, 4]
    for each, other in zip(found, fit_many([*map(without_checkpoint, group(4))]), strict=True):
        np.testing.assert_allclose(each.history["loss"], other.history["loss"], rtol=5e-6)


def without_checkpoint(given):
    return Member(given.model, given.samples, given.recipe)
