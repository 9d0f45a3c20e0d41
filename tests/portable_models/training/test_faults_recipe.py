"""A recipe takes every spelling that Keras takes: names, configs, functions and objects, with arguments."""

import functools
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import portable_models
from portable_models import Recipe, portable_random
from portable_models.models.vanilla import vanilla_compiled

pytestmark = pytest.mark.filterwarnings("ignore:Model.fit runs this training")


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 3)).astype("float32")
    return x, (x[:, :1] > 0).astype("float32")


def build(units=1, activation="sigmoid"):
    with portable_random(0):
        return keras.Sequential([keras.Input((3,)), layers.Dense(units, activation)])


def first_loss(loss, y=None, activation="sigmoid", units=1, optimizer=None, metrics=()):
    """The loss of the first epoch, of weights that do not move."""
    still = optimizer or {"class_name": "SGD", "config": {"learning_rate": 0.0}}
    x, labels = data()
    found = portable_models.fit(
        build(units, activation),
        x,
        labels if y is None else y,
        recipe=Recipe(optimizer=still, loss=loss, metrics=metrics, batch_size=24),
        verbose=0,
    )
    return found.history


SPELLINGS = {
    "bce": ["bce", "BCE", "binary_crossentropy", "BinaryCrossentropy",
            {"class_name": "BinaryCrossentropy", "config": {}},
            keras.losses.binary_crossentropy, keras.losses.BinaryCrossentropy,
            keras.losses.BinaryCrossentropy()],
    "mse": ["mse", "MSE", "mean_squared_error", "MeanSquaredError",
            {"class_name": "MeanSquaredError", "config": {}},
            keras.losses.mean_squared_error, keras.losses.MeanSquaredError()],
    "mae": ["mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"],
    "kld": ["kld", "KLD", "kl_divergence", "KLDivergence"],
    "huber": ["huber", "Huber", {"class_name": "Huber", "config": {"delta": 1.0}}],
    "log_cosh": ["log_cosh", "LogCosh"],
    "binary_focal": ["binary_focal_crossentropy", "BinaryFocalCrossentropy",
                     keras.losses.BinaryFocalCrossentropy()],
}  # fmt: skip


@pytest.mark.parametrize("saturated", [False, True], ids=["usual", "saturated"])
@pytest.mark.parametrize("kind", SPELLINGS)
def test_every_spelling_of_a_loss_is_one_loss(kind, saturated):
    activation = (lambda x: ops.sigmoid(1000.0 * x)) if saturated else "sigmoid"
    losses = [first_loss(each, activation=activation)["loss"][0] for each in SPELLINGS[kind]]
    # One function of the same numbers; functions and classes may reduce in another order.
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)


@pytest.mark.parametrize("spelling", SPELLINGS["bce"])
def test_saturated_output_costs_the_same_on_every_backend(spelling):
    """Off by one at a probability of 0 or 1: ``-log(1e-7)`` of Keras's clip, whatever the backend."""
    x = np.ones((4, 3), "float32")
    with portable_random(0):
        model = keras.Sequential(
            [keras.Input((3,)), layers.Dense(1, "sigmoid", kernel_initializer="ones", use_bias=False),
             layers.Rescaling(0.0, offset=1.0)]
        )  # fmt: skip
    still = {"class_name": "SGD", "config": {"learning_rate": 0.0}}
    found = portable_models.fit(
        model,
        x,
        np.zeros((4, 1), "float32"),
        recipe=Recipe(optimizer=still, loss=spelling),
        verbose=0,
    )
    expected = -np.log(np.float64(np.float32(1.0) - (np.float32(1) - np.float32(1e-7))))
    assert found.history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_focal_loss_behind_a_softmax_is_that_of_the_formula():
    """On TensorFlow Keras takes the logits before the softmax for those of a sigmoid."""
    x, y = data()
    labels = np.concatenate([y, 1 - y], axis=1)
    found = first_loss("binary_focal_crossentropy", y=labels, activation="softmax", units=2)
    logits = x.astype("float64") @ build(2).get_weights()[0].astype("float64")
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    right = labels * p + (1 - labels) * (1 - p)
    expected = np.mean((1 - right) ** 2 * -np.log(right))
    assert found["loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_compiled_loss_that_is_known_to_differ_is_told(engine):
    x, y = data()
    model = build(2, "softmax")
    model.compile("sgd", keras.losses.BinaryFocalCrossentropy())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        portable_models.fit(model, x, np.concatenate([y, 1 - y], 1), engine=engine, verbose=0)
    told = [str(each.message) for each in caught if "portable_models.losses" in str(each.message)]
    assert len(told) == 1


def test_losses_take_their_arguments():
    narrow, wide = (
        first_loss({"class_name": "Huber", "config": {"delta": delta}})["loss"][0]
        for delta in (0.1, 1.0)
    )
    assert first_loss(keras.losses.Huber(delta=0.1))["loss"][0] == pytest.approx(narrow, rel=1e-6)
    assert narrow != pytest.approx(wide, rel=0.1)


def test_partial_is_a_loss_and_a_metric():
    def power(y_true, y_pred, exponent):
        return ops.mean(ops.abs(y_true - y_pred) ** exponent, axis=-1)

    found = first_loss(
        functools.partial(power, exponent=2.0), metrics=[functools.partial(power, exponent=1.0)]
    )
    assert found["loss"] == pytest.approx(first_loss("mse")["loss"], rel=1e-6)
    assert len(found) == 2


@pytest.mark.parametrize(
    "name", ["lamb", "Lamb", "adamw", "AdamW", "nadam", "lion", "adafactor", "muon"]
)
def test_optimizer_by_name(name):
    assert np.isfinite(first_loss("mse", optimizer=name)["loss"][0])


METRICS = {
    "name": "kld",
    "class name": "AUC",
    "object": keras.metrics.AUC(num_thresholds=50),
    "serialized": keras.metrics.serialize(keras.metrics.AUC(num_thresholds=50)),
    "function": keras.metrics.mean_absolute_error,
    "serialized mean": keras.metrics.serialize(keras.metrics.MeanAbsoluteError(name="off")),
}


@pytest.mark.parametrize("kind", METRICS)
def test_metric_of_any_spelling(kind):
    found = first_loss("mse", metrics=[METRICS[kind]])
    assert len(found) == 2
    assert all(np.isfinite(values[0]) for values in found.values())


def test_object_of_a_recipe_is_not_shared_by_two_trainings():
    metric = keras.metrics.AUC()
    recipe = Recipe(optimizer="sgd", loss="mse", metrics=[metric], batch_size=24)
    one, other = (portable_models.fit(build(), *data(), recipe=recipe, verbose=0) for _ in range(2))
    assert one.history == other.history
    assert float(metric.true_positives[0]) == 0, "the recipe's own object is used by none"


@pytest.mark.parametrize(
    ("optimizer", "hint"),
    [
        ({"class_name": "SGD", "config": {"lr": 0.1}}, "learning_rate"),
        (
            {"class_name": "SGD", "config": {"decay": 1e-3}},
            "schedule|weight_decay|InverseTimeDecay",
        ),
    ],
    ids=["lr", "decay"],
)
def test_argument_of_keras_2_gets_a_hint(optimizer, hint):
    with pytest.raises(ValueError, match=hint):
        first_loss("mse", optimizer=optimizer)


def test_vanilla_takes_the_published_constraint_and_the_names_of_a_recipe():
    # As in Keras: a largest norm of 0 makes every kernel 0.
    assert vanilla_compiled(weight_constraint=0).layers[0].kernel_constraint.max_value == 0
    config = {"class_name": "SGD", "config": {"learning_rate": 0.5}}
    model = vanilla_compiled(optimizer=config, loss="bce", metrics=["kld"])
    assert float(model.optimizer.learning_rate) == 0.5


def test_recipe_and_compile_together_are_told_once():
    model = build()
    model.compile("adam", "mae")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        portable_models.fit(model, *data(), recipe=Recipe(optimizer="sgd", loss="mse"), verbose=0)
    told = [str(each.message) for each in caught if "recipe" in str(each.message)]
    assert len(told) == 1
    assert type(model.optimizer).__name__ == "SGD"


def test_recipe_of_a_model_trains_as_the_model_does():
    def compiled():
        model = build()
        model.compile(keras.optimizers.SGD(0.3, momentum=0.5), "mse", metrics=["mae"])
        return model

    given = {"epochs": 2, "batch_size": 8, "verbose": 0, "shuffle": False}
    recipe = Recipe.of(compiled()).replace(epochs=2, batch_size=8, shuffle=False)
    one = portable_models.fit(compiled(), *data(), **given)
    other = portable_models.fit(build(), *data(), recipe=recipe, verbose=0)
    assert one.history == other.history


def test_recipe_of_a_model_says_what_cannot_be_written_down():
    model = build()
    model.compile("sgd", lambda y, p: ops.mean(ops.square(y - p)))
    with pytest.raises(ValueError, match="loss"):
        Recipe.of(model)
