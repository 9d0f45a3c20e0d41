"""Loss, metrics and outputs of one pass are those of ``evaluate`` and ``predict``."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend.program import NotCompilableError
from portable_models.data import ArraySamples, DataSet, MultiHotSamples
from portable_models.experiments import tasks
from portable_models.experiments.procedures import FinalTest, Task
from portable_models.training import compile_model
from portable_models.training.evaluation import evaluated
from portable_models.training.history import Training
from portable_models.training.programs import grouping as groups

WORDS, COUNT, BATCH = 12, 23, 5
LAYERS = keras.layers


class Penalised(LAYERS.Layer):
    """Adds a loss of its own, as a user's layer may."""

    def call(self, inputs):
        """Nothing is changed."""
        self.add_loss(0.1 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


MODELS = {
    "plain": lambda: [LAYERS.Dense(4, "relu"), LAYERS.Dense(1, "sigmoid")],
    "penalties": lambda: [
        LAYERS.Dense(4, "relu", kernel_regularizer="l2", activity_regularizer="l2"),
        LAYERS.Dense(1, "sigmoid", bias_regularizer="l1"),
    ],
    "own loss": lambda: [LAYERS.Dense(4), Penalised(), LAYERS.Dense(1, "sigmoid")],
    "state": lambda: [
        LAYERS.Dense(4),
        LAYERS.BatchNormalization(),
        LAYERS.Dropout(0.5),
        LAYERS.Dense(1, "sigmoid"),
    ],
}


def model(name="plain", base=keras.Sequential):
    recipe = Recipe(
        optimizer="sgd",
        loss="binary_crossentropy",
        metrics=("accuracy", "AUC", "mae"),
        epochs=1,
        batch_size=BATCH,
    )
    with portable_random(1):
        made = base([keras.Input((WORDS,)), *MODELS[name]()])
        compile_model(made, recipe)
    return made


def bags():
    rng = np.random.default_rng(2)
    words = [np.flatnonzero(rng.random(WORDS) < 0.4) for _ in range(COUNT)]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in words])])
    labels = rng.integers(0, 2, COUNT).astype("float32")
    return MultiHotSamples(np.concatenate(words).astype("int32"), offsets, WORDS, labels)


def dense(weights=None):
    batch = bags().take(np.arange(COUNT))
    return ArraySamples(batch.x, batch.y, weights)


def by_keras(made, samples):
    batch = samples.take(np.arange(COUNT))
    expected = made.evaluate(
        batch.x, batch.y, BATCH, sample_weight=batch.sample_weight, return_dict=True, verbose=0
    )
    return expected, np.asarray(made.predict(batch.x, BATCH, verbose=0))


@pytest.mark.parametrize("samples", [bags, dense], ids=["bags", "arrays"])
@pytest.mark.parametrize("name", MODELS)
def test_one_pass_finds_what_keras_does(name, samples):
    made = model(name)
    before = [np.asarray(weight) for weight in made.get_weights()]
    found, outputs = evaluated(made, samples(), BATCH)
    # What layers know their penalties by is the id of an object that is gone: another loss may get it.
    assert not any(layer._loss_ids for layer in made._flatten_layers())
    expected, predictions = by_keras(made, samples())
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        # Sums of some ten float32 products, in another order.
        np.testing.assert_allclose(found[key], value, rtol=2e-6, atol=1e-6, err_msg=key)
    np.testing.assert_allclose(outputs, predictions, rtol=2e-6)
    for weight, was in zip(made.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)


def test_samples_weigh_what_they_do_in_keras():
    weights = np.linspace(0.0, 2.0, COUNT).astype("float32")
    made = model()
    expected, _ = by_keras(made, dense(weights))
    found, _ = evaluated(made, dense(weights), BATCH)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=2e-6, err_msg=key)


def test_bags_are_never_dense(monkeypatch):
    taken, take = [], MultiHotSamples.take

    def watched(samples, indices):
        taken.append(len(indices))
        return take(samples, indices)

    monkeypatch.setattr(MultiHotSamples, "take", watched)
    assert evaluated(model(), bags(), BATCH) is not None
    # One row, for its shape.
    assert taken == [1]


class OwnTest(keras.Sequential):
    """Its step is a user's own."""

    def test_step(self, *given):
        """As Keras's."""
        return super().test_step(*given)


def untraceable():
    made = model()
    made.layers[0].supports_jit = False
    return made


def eager():
    made = model()
    made.run_eagerly = True
    return made


def of_two_outputs():
    x = keras.Input((WORDS,))
    made = keras.Model(x, [LAYERS.Dense(1)(x), LAYERS.Dense(1)(x)])
    made.compile(loss="mse")
    return made


@pytest.mark.parametrize("left", [lambda: model(base=OwnTest), untraceable, eager, of_two_outputs])
def test_what_only_keras_can_tell_is_left_to_it(left):
    assert evaluated(left(), dense(), BATCH) is None


def test_an_experiment_is_tested_by_either_engine():
    task = Task(model, None, Recipe(loss="mse"))
    made = model("penalties")
    (expected, predictions), (found, outputs) = (
        task.test(made, bags(), Training({}, engine)) for engine in ("keras", "compiled")
    )
    assert found.keys() == expected.keys() == {"test_loss", "test_accuracy", "test_AUC", "test_mae"}
    np.testing.assert_allclose(found["test_loss"], expected["test_loss"], rtol=2e-6)
    np.testing.assert_allclose(outputs, predictions, rtol=2e-6)


def test_what_could_not_be_trained_as_a_program_is_not_tested_as_one(monkeypatch):
    """Keras runs more than can be compiled, such as a step that branches on values."""

    def refuse(group):
        raise NotCompilableError("no such operation")

    monkeypatch.setattr(groups.Group, "prepare", refuse)
    monkeypatch.setattr(tasks, "evaluated", None)
    recipe = Recipe(loss="mse", metrics=("mae",), batch_size=BATCH)
    data = DataSet("bags", "sample", bags(), bags(), "", synthetic=True)
    trained = FinalTest().run(Task(model, data, recipe))
    assert trained.training.engine == "keras"
    assert trained.training.final["test_mae"] > 0
    assert len(trained.predictions) == COUNT
