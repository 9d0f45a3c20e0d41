"""A step of the user's own is given what ``Model.fit`` gives it, and what it returns is the history."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import portable_models
from portable_models import portable_random

pytestmark = pytest.mark.filterwarnings("ignore:Model.fit runs this training")
BACKEND = keras.backend.backend()
ENGINES = ("compiled", "keras")


@pytest.fixture(autouse=True)
def short_trainings_compiled(monkeypatch):
    """Nothing falls back because it is short."""
    if BACKEND == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 0)


def data(rows=24):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, x[:, :1]


class Looking(keras.Sequential):
    """Writes down the structure of what its step is given."""

    def __init__(self, *args):
        super().__init__(*args)
        self.given = []

    def train_step(self, *args):
        self.given.append(structure(args[-1]))
        return super().train_step(*args)

    def test_step(self, *args):
        self.given.append(["test", structure(args[-1])])
        return super().test_step(*args)


def structure(value):
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *map(structure, value)]
    if isinstance(value, dict):
        return {name: structure(each) for name, each in value.items()}
    return None if value is None else "tensor"


def looking(loss="mse"):
    with portable_random(0):
        model = Looking([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", loss)
    return model


X, Y = data()
ONES = np.ones(24, "float32")
GIVEN = {
    "pair": {"x": X, "y": Y},
    "triple": {"x": X, "y": Y, "sample_weight": ONES},
    "class weights": {"x": X, "y": (Y > 0).astype("int32"), "class_weight": {0: 1.0, 1: 2.0}},
    "validation pair": {"x": X, "y": Y, "validation_data": (X, Y)},
    "validation triple": {"x": X, "y": Y, "validation_data": (X, Y, ONES)},
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", GIVEN)
def test_step_is_given_the_structure_that_the_user_passed(kind, engine):
    ours, keras_own = looking(), looking()
    portable_models.fit(ours, **GIVEN[kind], shuffle=False, engine=engine, verbose=0)
    keras_own.fit(**GIVEN[kind], shuffle=False, verbose=0)

    def unlike(seen):
        return [each for number, each in enumerate(seen) if each not in seen[:number]]

    assert unlike(ours.given) == unlike(keras_own.given)


class Alone(Looking):
    """Takes x without y."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - 1))


@pytest.mark.parametrize("engine", ENGINES)
def test_step_without_targets_is_given_x_as_model_fit_gives_it(engine):
    def build():
        with portable_random(0):
            model = Alone([keras.Input((4,)), layers.Dense(1)])
        model.compile("sgd")
        return model

    ours, keras_own = build(), build()
    found = portable_models.fit(ours, X, shuffle=False, engine=engine, verbose=0, epochs=2)
    expected = keras_own.fit(X, shuffle=False, verbose=0, epochs=2)
    assert ours.given[-1] == keras_own.given[-1]
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=2e-6)


class Detached(keras.Sequential):
    """The mistake of a beginner: a loss that does not depend on the weights."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.stop_gradient(super().compute_loss(x, y, y_pred, sample_weight, training))


@pytest.mark.skipif(
    BACKEND != "torch", reason="on JAX and TensorFlow such a gradient is zero or missing"
)
@pytest.mark.parametrize("engine", ENGINES)
def test_loss_without_gradient_is_named(engine):
    model = Detached([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises((RuntimeError, ValueError), match=r"(?i)grad") as raised:
        portable_models.fit(model, X, Y, engine=engine, verbose=0)
    assert "No gradients provided" not in str(raised.value), "Keras's words for something else"


class Leaking(keras.Sequential):
    """Keeps the outputs of the last step in an attribute, to look at them later."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.last_outputs = y_pred
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class Using(Leaking):
    """Uses what the last trace has left: an error in every framework that traces."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        before = getattr(self, "last_outputs", None)
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss if before is None else loss + 0.0 * ops.sum(before)


def leaking(kind):
    with portable_random(0):
        model = kind([keras.Input((4,)), layers.Dropout(0.2), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("engine", ENGINES)
def test_tensor_kept_in_an_attribute_trains_as_with_model_fit(engine):
    ours, keras_own = leaking(Leaking), leaking(Leaking)
    found = portable_models.fit(
        ours, X, Y, batch_size=7, shuffle=False, engine=engine, verbose=0, epochs=2
    )
    with portable_random(0):
        expected = keras_own.fit(X, Y, batch_size=7, shuffle=False, verbose=0, epochs=2)
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=2e-6)


@pytest.mark.skipif(BACKEND == "torch", reason="nothing is traced by Model.fit on PyTorch")
@pytest.mark.parametrize("engine", ENGINES)
def test_tensor_of_another_trace_is_named(engine):
    """The last batch has another size, so the step is traced twice."""
    if (BACKEND, engine) == ("tensorflow", "keras"):
        pytest.skip("Model.fit on TensorFlow traces one step for both sizes")
    with pytest.raises(Exception, match=r"(?i)tracer|leak|out of scope|scope|trace") as raised:
        portable_models.fit(
            leaking(Using), X, Y, batch_size=7, shuffle=False, engine=engine, verbose=0, epochs=2
        )
    assert "but called with" not in str(raised.value), "counts of inputs do not say what is wrong"


def counting():
    with portable_random(0):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1, "sigmoid")])
    metrics = [
        keras.metrics.TruePositives(name="tp"),
        keras.metrics.FalseNegatives(name="fn"),
        keras.metrics.TrueNegatives(name="tn"),
        keras.metrics.FalsePositives(name="fp"),
    ]
    model.compile("sgd", "mse", metrics=metrics)
    return model


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shuffle", [True, False])
def test_counts_of_training_are_those_of_the_training_rows(engine, shuffle):
    """On PyTorch ``Model.fit`` reports validation's ("counts-of-validation" of the known gaps)."""
    y = (Y > 0).astype("float32")
    held_out = (X[:9], np.ones((9, 1), "float32"))
    found = portable_models.fit(
        counting(),
        X,
        y,
        epochs=3,
        validation_data=held_out,
        engine=engine,
        shuffle=shuffle,
        verbose=0,
    ).history
    positives = int(y.sum())
    for epoch in range(3):
        assert found["tp"][epoch] + found["fn"][epoch] == positives
        assert found["tn"][epoch] + found["fp"][epoch] == 24 - positives
        assert found["val_tp"][epoch] + found["val_fn"][epoch] == 9
        assert found["val_tn"][epoch] + found["val_fp"][epoch] == 0
