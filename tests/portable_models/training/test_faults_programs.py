"""Programs of other people that a compiled training got wrong: each trains as ``Model.fit`` trains it."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import portable_models
from portable_models import portable_random
from portable_models.training import NotCompiledWarning

BACKEND = keras.config.backend()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = X[:, :1] * 2
pytestmark = [
    pytest.mark.filterwarnings("ignore:Model.fit runs this training"),
    # An output without a loss trains nothing, as Keras says.
    pytest.mark.filterwarnings("ignore:Gradients do not exist"),
]
traced = pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs Python code at every step")


def network(kind=keras.Sequential, **settings):
    with portable_random(0):
        model = kind(
            [keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dropout(0.4), layers.Dense(1)]
        )
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | settings))
    return model


def alike(build, x=X, y=Y, **settings):
    """Train by ``Model.fit`` and by ``portable_models.fit``; histories and weights must agree."""
    settings = {"batch_size": 6, "epochs": 3, "shuffle": False, "verbose": 0} | settings
    expected, got = build(), build()
    given = {name: value() if callable(value) else value for name, value in settings.items()}
    with portable_random(0):
        history = expected.fit(x, y, **given).history
    given = {name: value() if callable(value) else value for name, value in settings.items()}
    found = portable_models.fit(got, x, y, seed=0, **given)
    assert found.history.keys() == history.keys()
    for name, values in history.items():
        # Some units in the last place of numbers near 1, in some ten steps.
        np.testing.assert_allclose(found.history[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    for a, b in zip(expected.get_weights(), got.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
    return found


def told(category, train):
    """The messages of the warnings of this kind that a training gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
    return [str(each.message) for each in caught if issubclass(each.category, category)]


def recurrent():
    with portable_random(0):
        model = keras.Sequential(
            [keras.Input((5, 2), batch_size=6), layers.SimpleRNN(4, stateful=True), layers.Dense(1)]
        )
    model.compile("sgd", "mse")
    return model


def test_states_of_a_recurrent_layer_go_on():
    x = RNG.normal(size=(18, 5, 2)).astype("float32")
    alike(recurrent, x, x[:, 0, :1])


class WithoutConfig(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1.0 + ops.cast(step, "float32"))


def test_a_schedule_without_get_config_trains():
    alike(lambda: network(optimizer=keras.optimizers.SGD(WithoutConfig())))


def two_outputs(kind=keras.Model, **settings):
    with portable_random(0):
        inputs = keras.Input((4,))
        hidden = layers.Dense(3, "tanh")(inputs)
        outputs = [layers.Dense(1, name="a")(hidden), layers.Dense(1, name="b")(hidden)]
    model = kind(inputs, outputs)
    model.compile(**({"optimizer": "sgd", "loss": ["mse", "mae"]} | settings))
    return model


@pytest.mark.parametrize("place", ["targets", "weights"])
def test_none_stands_for_an_output_without_data(place):
    if place == "targets":
        alike(lambda: two_outputs(loss=["mse", None]), y=[Y, None])
    else:
        weights = np.linspace(0, 1, 20).astype("float32")
        alike(two_outputs, y=[Y, Y], sample_weight=[weights, None])


class OwnStep(keras.Model):
    def train_step(self, *args, **kwargs):
        return super().train_step(*args, **kwargs)


@pytest.mark.parametrize("kind", [keras.Model, OwnStep])
@pytest.mark.parametrize("rows", [20, 18])
def test_losses_of_outputs_are_weighed_as_keras_does(kind, rows):
    alike(lambda: two_outputs(kind), X[:rows], [Y[:rows], Y[:rows]])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="XLA must know sizes that Keras does not")
def test_losses_of_outputs_are_weighed_as_keras_does_through_xla(monkeypatch):
    monkeypatch.setattr("portable_models._backend.tensorflow_program.PAYS_FROM", 1)
    assert alike(two_outputs, y=[Y, Y]).engine == "compiled"


class OwnFit(keras.Sequential):
    def fit(self, x, y, **kwargs):
        return super().fit(x, y * 2, **kwargs)


class OwnEvaluate(keras.Sequential):
    def evaluate(self, *args, **kwargs):
        found = super().evaluate(*args, **kwargs)
        return found | {"twice": 2 * found["loss"]} if isinstance(found, dict) else found


class OwnReset(keras.Sequential):
    def reset_metrics(self):
        self.resets = getattr(self, "resets", 0) + 1
        super().reset_metrics()


@pytest.mark.parametrize("kind", [OwnFit, OwnEvaluate, OwnReset])
def test_methods_that_drive_the_steps_are_called(kind):
    models = []
    found = alike(
        lambda: models.append(network(kind)) or models[-1],
        validation_data=lambda: (X, Y),
    )
    assert "has its own" in found.engine_reason
    if kind is OwnReset:
        assert len({model.resets for model in models}) == 1


class Counting(keras.metrics.Mean):
    """Says how often it was reset, as a number that Python counts."""

    def __init__(self, name="resets"):
        super().__init__(name=name)
        self.seen = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(ops.mean(y_pred) * 0)

    def reset_state(self):
        self.seen += 1
        super().reset_state()

    def result(self):
        return super().result() + self.seen


class Reading(Counting):
    def reset_state(self):
        self.last = float(self.total)
        super().reset_state()


class Clearing(Counting):
    """Resets in a method of its own."""

    def reset_state(self):
        self.clear()
        keras.metrics.Mean.reset_state(self)

    def clear(self):
        self.seen += 1


class Inheriting(Counting):
    def reset_state(self):
        super().reset_state()


@pytest.mark.parametrize("kind", [Counting, Reading, Clearing, Inheriting])
def test_a_metric_that_python_resets_is_reset_at_every_epoch(kind):
    found = alike(lambda: network(metrics=[kind()]))
    assert found.engine == "keras"
    assert "an attribute" in found.engine_reason or BACKEND == "torch"


def resetting_by_assign():
    class Assigning(Counting):
        def reset_state(self):
            for variable in self.variables:
                variable.assign(0.0)

    return network(metrics=[Assigning()])


@traced
def test_a_metric_that_resets_variables_is_compiled():
    assert alike(resetting_by_assign).engine == "compiled"


class Annealed(keras.Sequential):
    weight = 1.0

    def compute_loss(self, *args, **kwargs):
        return self.weight * super().compute_loss(*args, **kwargs)


def test_a_schedule_that_changes_the_model_is_run_before_the_step_is_traced():
    made = []

    def build():
        made.append(network(Annealed))
        return made[-1]

    def callbacks():
        model = made[len(scheduled)]
        scheduled.append(model)

        def schedule(epoch, rate):
            model.weight = (epoch + 1) * 0.5
            return rate

        return [keras.callbacks.LearningRateScheduler(schedule)]

    scheduled = []
    found = alike(build, callbacks=callbacks)
    assert "the callback LearningRateScheduler" in found.engine_reason


DECAY = {"from": 0.1}


def by_helper(epoch):
    return DECAY["from"] / np.sqrt(1 + epoch)


@traced
@pytest.mark.parametrize(
    "schedule",
    [lambda epoch, rate: rate * 0.9, lambda epoch: by_helper(epoch)],
    ids=["of the rate", "through a function"],
)
def test_a_schedule_that_only_computes_is_compiled(schedule):
    found = alike(network, callbacks=lambda: [keras.callbacks.LearningRateScheduler(schedule)])
    assert found.engine == "compiled"


def test_epochs_are_those_that_ran(tmp_path):
    def fit(model, epochs):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        return portable_models.fit(model, X, Y, epochs=epochs, callbacks=[backup], verbose=0)

    fit(network(), 2)
    assert fit(network(), 4).epoch == [2, 3]


def test_a_history_that_was_used_before_goes_on():
    history = keras.callbacks.History()
    model = network()
    portable_models.fit(model, X, Y, epochs=2, callbacks=[history], verbose=0)
    (message,) = told(
        NotCompiledWarning,
        lambda: portable_models.fit(model, X, Y, epochs=2, callbacks=[history], verbose=0),
    )
    assert "it was used before" in message
    assert len(history.history["loss"]) == 4
