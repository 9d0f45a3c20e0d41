"""States along a training, and one step from each; on the backend of this process."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, cross_validate, portable_random
from portable_models._backend import current
from portable_models._keras.building import build_by_shapes
from portable_models.data import ArraySamples
from portable_models.training.first_training import job_of_first_training
from portable_models.training.one_step import record, replay
from portable_models.training.states import State

from .study import fit

RECIPE = Recipe(
    optimizer="adam", loss="binary_crossentropy", metrics=("accuracy",), epochs=3, batch_size=8
)
ROWS = 20  # three steps an epoch, the last of four rows


def samples():
    x = np.random.default_rng(2).normal(size=(ROWS, 4)).astype("float32")
    return ArraySamples(x, (x[:, 0] > 0).astype("float32"))


def network():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, "relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ]
    )


def train(**settings):
    with portable_random(RECIPE.seed):
        model = network()
    return model, fit(model, samples(), RECIPE, **settings)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    count = record(*job_of_first_training(train), folder)
    (folder / "again").mkdir()
    replay(job_of_first_training(train)[0], folder, folder / "again", moves=2)
    states = [State.read(path) for path in sorted(folder.glob("state-*.npz"))]
    results = [np.load(path) for path in sorted((folder / "again").glob("*.npz"))]
    assert len(states) == len(results) == count
    return states, results


def test_states_lie_at_the_steps_and_epochs_that_were_asked_for(recorded):
    places = [(state.step, state.epoch, len(state.batch)) for state in recorded[0]]
    # Steps 0 and 1, of 9; the ends of epochs 1 and 2, and of the last.
    assert places == [(0, 1, 8), (1, 1, 8), (3, 1, 8), (6, 2, 8), (9, 3, 8)]


def test_the_update_from_one_state_leads_to_the_next(recorded):
    (first, second, *_), (result, *_) = recorded
    trainable = [f"update/{i}" for i in range(len(first.gradients))]
    after = [array for array in second.variables if array.dtype.kind == "f"]
    for key in trainable:
        found = result[key]
        # The same operations in the same process.
        assert any(each.shape == found.shape and np.array_equal(each, found) for each in after), key


def test_the_gradients_are_those_that_were_recorded(recorded):
    for state, result in zip(*recorded, strict=True):
        for index, gradient in enumerate(state.gradients):
            np.testing.assert_array_equal(result[f"gradient/{index}"], gradient)


def test_the_last_state_is_where_training_ends(recorded):
    model, _ = train()
    last = recorded[0][-1]
    for variable, array in zip(model.variables, last.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable.value), array)


def test_what_goes_in_is_moved_by_one_unit(recorded):
    for result in recorded[1]:
        for key in ("outputs/0", "gradient/0", "update/0"):
            scale = np.max(np.abs(result[key]))
            # Some units in the last place of float32, and not nothing.
            assert 0 < result[f"move/{key}"] < 1e-5 * scale, key


def test_the_first_of_several_trainings_is_looked_at():
    recipe = RECIPE.replace(epochs=1)
    job, engine = job_of_first_training(lambda: cross_validate(network, samples(), recipe, folds=4))
    assert (len(job.samples), len(job.validation), engine) == (15, 5, "compiled")
    assert job.model.optimizer is not None


def test_who_trains_nothing_is_told():
    with pytest.raises(ValueError, match=r"nothing was trained through portable_models\.fit"):
        job_of_first_training(lambda: None)
    # And a later training is not caught.
    assert len(train()[1].history["loss"]) == 3


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_a_step_tells_a_model_of_training_as_fit_does(named):
    """A call without the argument ``training`` is told on no backend: the dropout of such a model is off."""

    class Dropping(keras.Model):
        def __init__(self):
            super().__init__()
            self.wide = keras.layers.Dense(50, kernel_initializer="ones")
            self.drop = keras.layers.Dropout(0.5, seed=1)

    def told(self, x, training=None):
        return self.drop(self.wide(x), training=training)

    def not_told(self, x):
        return self.drop(self.wide(x))

    Dropping.call = told if named else not_told
    model, ones = Dropping(), keras.ops.ones((4, 3))
    model.compile("sgd", "mse")
    build_by_shapes(model, (ones, keras.ops.ones((4, 50))))
    step = current().gradients(model, ones, keras.ops.ones((4, 50)), None)
    dropped = np.mean(keras.ops.convert_to_numpy(step.outputs) == 0.0)
    assert (dropped > 0.2) if named else (dropped == 0.0)
