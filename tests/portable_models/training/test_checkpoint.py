"""A training that is left off and gone on with comes to the same numbers."""

import json

import keras
import numpy as np
import pytest

from portable_models import Checkpoint, Recipe, portable_random
from portable_models.training.resuming import trainings_kept

from .study import fit

X = np.random.default_rng(0).normal(size=(18, 4)).astype("float32")
ROWS = (X, X.sum(axis=1))
ADAM = {"class_name": "Adam", "config": {"use_ema": True}}
RECIPE = Recipe(optimizer=ADAM, loss="mse", metrics=("mae",), epochs=7, batch_size=4, seed=3)


def build():
    with portable_random(RECIPE.seed):
        return keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(5, "relu"),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(1),
            ]
        )


def train(path, *, epochs=7, engine="compiled", model=None, every=2, **more):
    model = build() if model is None else model
    recipe = RECIPE.replace(epochs=epochs)
    found = fit(model, ROWS, recipe, engine=engine, checkpoint=Checkpoint(path, every), **more)
    return model, found.history


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_it_goes_on_to_the_same_numbers(tmp_path, engine):
    def interrupt(epoch, epochs, metrics):
        if epoch == 5:
            raise KeyboardInterrupt

    whole, history = train(tmp_path / "whole.npz", engine=engine)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "part.npz", engine=engine, progress=interrupt)
    told = []
    again, found = train(
        tmp_path / "part.npz", engine=engine, progress=lambda epoch, *_: told.append(epoch)
    )
    assert told == [5, 6, 7]  # epochs 1 to 4 were kept
    assert found == history
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_epochs_may_be_asked_for_later(tmp_path):
    train(tmp_path / "a.npz", epochs=3)
    _, more = train(tmp_path / "a.npz", epochs=7)
    _, whole = train(tmp_path / "b.npz", epochs=7)
    assert more == whole


def test_a_training_that_is_done_is_not_trained_again(tmp_path):
    first, history = train(tmp_path / "a.npz")
    told = []
    second, again = train(tmp_path / "a.npz", progress=lambda *given: told.append(given))
    assert (told, again) == ([], history)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_fewer_epochs_than_are_done_are_refused(tmp_path):
    train(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="after 7 epochs, and 3 are asked for"):
        train(tmp_path / "a.npz", epochs=3)


def test_the_file_of_another_training_is_refused(tmp_path):
    train(tmp_path / "a.npz")
    checkpoint = Checkpoint(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="another training, of different settings"):
        fit(build(), ROWS, RECIPE.replace(batch_size=3), checkpoint=checkpoint)
    with pytest.raises(ValueError, match="another training, of different samples"):
        fit(build(), (X + 1, ROWS[1]), RECIPE, checkpoint=checkpoint)
    with portable_random(77):
        other = keras.models.clone_model(build())
    with pytest.raises(ValueError, match="another training, of different initial weights"):
        fit(other, ROWS, RECIPE, checkpoint=checkpoint)


def damaged(path):
    path.write_bytes(path.read_bytes()[:200])


def foreign(path):
    np.savez(path, a=np.zeros(3))


def pickled(path):
    np.savez(path, note=np.array([{"a": 1}], dtype=object))


def empty(path):
    path.write_bytes(b"")


def shorter(path):
    with np.load(path) as held:
        arrays = dict(held)
    arrays.popitem()
    np.savez(path, **arrays)


def not_a_history(path):
    with np.load(path) as held:
        arrays = dict(held)
    note = json.loads(str(arrays["note"]))
    note["history"] = {"loss": ["1.0"]}
    np.savez(path, **{**arrays, "note": np.array(json.dumps(note))})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "a.npz"
    train(path, epochs=1)
    return path.read_bytes()


@pytest.mark.parametrize("harm", [damaged, foreign, pickled, empty, shorter, not_a_history])
def test_a_file_that_is_none_is_refused_and_kept(tmp_path, kept, harm):
    path = tmp_path / "a.npz"
    path.write_bytes(kept)
    harm(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"a\.npz is .*[Rr]emove"):
        train(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("a.npz", 0), "every 1 or more epochs"), (("a.h5", 1), r"must end in \.npz")],
)
def test_settings_that_mean_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        Checkpoint(*arguments)


def test_callbacks_are_refused(tmp_path):
    recipe = RECIPE.replace(callbacks=("TerminateOnNaN",))
    with pytest.raises(ValueError, match="training with callbacks cannot be left off"):
        fit(build(), ROWS, recipe, checkpoint=Checkpoint(tmp_path / "a.npz"))


def inside(folder, recipe=RECIPE):
    """The epochs that are trained, where everything inside is kept."""
    told = []
    with trainings_kept(folder, 2):
        history = fit(build(), ROWS, recipe, progress=lambda epoch, *_: told.append(epoch)).history
    return told, history


def test_a_training_inside_needs_no_checkpoint_of_its_own(tmp_path):
    first = inside(tmp_path)
    assert first[0] == [1, 2, 3, 4, 5, 6, 7]
    assert inside(tmp_path) == ([], first[1])


def test_what_another_training_has_left_is_replaced(tmp_path):
    inside(tmp_path)
    other = RECIPE.replace(batch_size=3)
    again = inside(tmp_path, other)
    assert again[0] == [1, 2, 3, 4, 5, 6, 7]
    assert inside(tmp_path, other) == ([], again[1])


def test_trainings_with_callbacks_are_not_inside(tmp_path):
    recipe = RECIPE.replace(callbacks=("TerminateOnNaN",))
    inside(tmp_path, recipe)
    assert not [*tmp_path.iterdir()]
