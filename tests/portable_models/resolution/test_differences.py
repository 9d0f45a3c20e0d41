"""Which losses of a compiled model are said to differ between backends, and which are not."""

import functools
import re

import keras
import pytest

from portable_models import losses
from portable_models.resolution import nonportable_losses, resolve_loss


def model_of(loss, activation="sigmoid", *, last=()):
    layers = [keras.Input((2,)), keras.layers.Dense(2, activation=activation), *last]
    model = keras.Sequential(layers)
    model.compile("sgd", loss)
    return model


def closure(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred) + 0.1


class Derived(keras.losses.CategoricalCrossentropy):
    pass


class OurDerived(losses.CategoricalCrossentropyOfProbabilities):
    pass


@pytest.mark.parametrize(
    ("loss", "named", "instead"),
    [
        ("bce", "BinaryCrossentropy", "BinaryCrossentropyOfProbabilities"),
        ("BinaryCrossentropy", "BinaryCrossentropy", "BinaryCrossentropyOfProbabilities"),
        (
            keras.losses.binary_focal_crossentropy,
            "BinaryFocalCrossentropy",
            "BinaryFocalCrossentropyOfProbabilities",
        ),
        (
            keras.losses.BinaryFocalCrossentropy(from_logits=True),
            "BinaryFocalCrossentropy",
            "BinaryFocalCrossentropyOfProbabilities",
        ),
        (
            keras.losses.SparseCategoricalCrossentropy,
            "SparseCategoricalCrossentropy",
            "SparseCategoricalCrossentropyOfProbabilities",
        ),
        (
            keras.losses.serialize(keras.losses.CategoricalCrossentropy()),
            "CategoricalCrossentropy",
            "CategoricalCrossentropyOfProbabilities",
        ),
        (
            functools.partial(keras.losses.categorical_crossentropy, label_smoothing=0.1),
            "CategoricalCrossentropy",
            "CategoricalCrossentropyOfProbabilities",
        ),
        ("crossentropy", "'crossentropy'", "CrossentropyByShape"),
        (Derived(), "Derived, derived from CategoricalCrossentropy", "derive it from"),
        (closure, r"closure\(\), which calls binary_crossentropy", r"multiply\(y_pred, 1.0\)"),
    ],
)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_loss_that_differs_is_told_once(loss, named, instead, activation):
    (message,) = nonportable_losses(model_of(loss, activation))
    assert "crossentropy-from-activation" in message
    assert re.search(named, message)
    assert re.search(instead, message)
    assert "\n" not in message


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        "hinge",
        "kld",
        "poisson",
        keras.losses.CategoricalFocalCrossentropy(),
        keras.losses.BinaryCrossentropy(from_logits=True),
        functools.partial(keras.losses.binary_crossentropy, from_logits=True),
        resolve_loss("bce"),
        resolve_loss("BinaryFocalCrossentropy"),
        losses.CrossentropyByShape(),
        OurDerived(),
        lambda y_true, y_pred: keras.ops.mean(y_true - y_pred, axis=-1),
    ],
)
def test_a_loss_that_is_equal_everywhere_is_not(loss):
    assert nonportable_losses(model_of(loss)) == []


@pytest.mark.parametrize("activation", [None, "linear", "relu", "tanh"])
def test_it_depends_on_the_output(activation):
    assert nonportable_losses(model_of("bce", activation)) == []


def test_an_output_that_is_not_understood_may_differ():
    assert len(nonportable_losses(model_of("bce", None, last=[keras.layers.Activation("sigmoid")])))
    assert len(nonportable_losses(model_of("bce", None, last=[keras.layers.Softmax()])))

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return keras.ops.sigmoid(self.dense(inputs))

    model = Own()
    model.compile("sgd", "bce")
    assert len(nonportable_losses(model)) == 1


def test_each_output_is_told_by_its_name_or_number():
    inputs = keras.Input((2,))
    price = keras.layers.Dense(1, name="price")(inputs)
    style = keras.layers.Dense(3, activation="softmax", name="style")(inputs)
    model = keras.Model(inputs, {"price": price, "style": style})
    model.compile("sgd", {"price": "mse", "style": "categorical_crossentropy"})
    (message,) = nonportable_losses(model)
    assert "the loss of output 'style' is CategoricalCrossentropy" in message
    model.compile("sgd", {"price": "bce", "style": None})
    assert nonportable_losses(model) == []
    model = keras.Model(inputs, [price, style])
    model.compile("sgd", ["bce", keras.losses.categorical_crossentropy])
    (message,) = nonportable_losses(model)
    assert "the loss of output 1 is CategoricalCrossentropy" in message


def test_a_model_that_is_not_compiled_has_none():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    assert nonportable_losses(model) == []
    model.compile("sgd")
    assert nonportable_losses(model) == []
