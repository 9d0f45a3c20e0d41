"""Crossentropies of saturated sigmoid and softmax outputs, compiled, in every spelling: values and gradients.

One model holds an output for each spelling, so that one step tells all losses, metrics and gradients.
"""

import functools

import keras
import numpy as np
import pytest

from portable_models.resolution import resolve_loss, resolve_metrics, resolve_optimizer

from . import reference
from .spellings import of_class

LOGITS = np.array([[-30.0, 30.0], [2.0, -1.0], [0.5, 0.25]], "float32")
BITS = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]], "float32")
ONE_HOT = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], "float32")
LABELS = np.array([[0], [1], [0]], "int32")
# The clip as float32 holds it: 1 - 1e-7 is 1.2e-7 off 1 there.
BOUNDS = np.float32([1e-7, 1 - 1e-7]).astype("float64")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


ACTIVATIONS = {"sigmoid": sigmoid, "softmax": softmax}
CASES = {
    # name: (class of Keras, activation, targets, the formula of clipped probabilities)
    "binary_sigmoid": ("BinaryCrossentropy", "sigmoid", BITS, reference.binary_crossentropy),
    "binary_softmax": ("BinaryCrossentropy", "softmax", ONE_HOT, reference.binary_crossentropy),
    "focal_sigmoid": (
        "BinaryFocalCrossentropy",
        "sigmoid",
        BITS,
        reference.binary_focal_crossentropy,
    ),
    "focal_softmax": (
        "BinaryFocalCrossentropy",
        "softmax",
        ONE_HOT,
        reference.binary_focal_crossentropy,
    ),
    "categorical": (
        "CategoricalCrossentropy",
        "softmax",
        ONE_HOT,
        reference.categorical_crossentropy,
    ),
    "categorical_focal": (
        "CategoricalFocalCrossentropy",
        "softmax",
        ONE_HOT,
        reference.categorical_focal_crossentropy,
    ),
    "sparse": (
        "SparseCategoricalCrossentropy",
        "softmax",
        LABELS,
        lambda y, p: reference.sparse_categorical_crossentropy(y[:, 0], p),
    ),
}
METRICS = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
# At most 64 operations in float32 on numbers up to 16, each off by half a unit in the last place.
ROUNDINGS = 64 * float(np.finfo("float32").eps) / 2


def loss_spellings(name):
    found = list(of_class(keras.losses, name, {}).values())
    # One column would make it binary.
    if name in ("CategoricalCrossentropy", "SparseCategoricalCrossentropy"):
        found += ["crossentropy", "CE"]
    if "label_smoothing" in keras.losses.get(name).get_config():
        function = getattr(keras.losses, keras.losses.get(name).fn.__name__)
        found.append(functools.partial(function, label_smoothing=0.0))
    return found


def metric_spellings(name):
    if name not in METRICS:
        return []
    return [*of_class(keras.metrics, name, {}).values(), getattr(keras.losses, name)()]


def formula(case, logits):
    _, activation, targets, values = CASES[case]
    chances = np.clip(ACTIVATIONS[activation](np.asarray(logits, "float64")), *BOUNDS)
    return values(np.asarray(targets, "float64"), chances).mean()


def gradient(case):
    """Of the mean loss by each unit's bias: central differences, off by about 1e-10."""
    step, found = 1e-5, []
    for unit in np.eye(2):
        up, down = (formula(case, LOGITS.astype("float64") + s * step * unit) for s in (1, -1))
        found.append((up - down) / (2 * step))
    return np.array(found)


@pytest.fixture(scope="module", params=CASES)
def trained(request):
    """Losses, metrics and moved biases after one step at learning rate 1, for each spelling."""
    name, activation, targets, _ = CASES[request.param]
    losses = loss_spellings(name)
    metrics = metric_spellings(name)
    inputs = keras.Input((2,))
    outputs = {
        f"output_{number}": keras.layers.Dense(
            2, activation=activation, kernel_initializer="identity", name=f"output_{number}"
        )(inputs)
        for number in range(max(len(losses), len(metrics)))
    }
    model = keras.Model(inputs, outputs)
    given = {key: losses[number % len(losses)] for number, key in enumerate(outputs)}
    measured = {key: [each] for key, each in zip(outputs, metrics, strict=False)}
    model.compile(
        resolve_optimizer({"class_name": "SGD", "config": {"learning_rate": 1.0}}),
        resolve_loss(given),
        metrics=resolve_metrics(measured),
        weighted_metrics=resolve_metrics(measured),
    )
    history = model.fit(LOGITS, dict.fromkeys(outputs, targets), batch_size=3, verbose=0).history
    logs = {key: values[0] for key, values in history.items()}
    biases = {key: model.get_layer(key).get_weights()[1] for key in outputs}
    return request.param, given, measured, logs, biases


def test_a_saturated_output_costs_what_is_documented(trained):
    case, given, _, logs, _ = trained
    expected = formula(case, LOGITS)
    for key, spelling in given.items():
        found = logs[f"{key}_loss"]
        assert found == pytest.approx(expected, rel=ROUNDINGS, abs=ROUNDINGS * 16), spelling


def test_a_saturated_output_has_the_gradient_of_the_clipped_formula(trained):
    case, given, _, _, biases = trained
    for key, spelling in given.items():
        # The gradient at chances next to the clip, 1e-13, is not told from 0 by float32.
        np.testing.assert_allclose(
            -biases[key], gradient(case), rtol=ROUNDINGS, atol=ROUNDINGS, err_msg=repr(spelling)
        )


def test_a_metric_of_a_saturated_output_is_what_is_documented(trained):
    case, _, measured, logs, _ = trained
    expected = formula(case, LOGITS)
    found = {
        name: value
        for name, value in logs.items()
        if name.startswith("output") and not name.endswith("_loss")
    }
    # Each as a metric and as a weighted metric.
    assert len(found) == 2 * len(measured)
    for name, value in found.items():
        assert value == pytest.approx(expected, rel=ROUNDINGS, abs=ROUNDINGS * 16), name


def test_a_hundred_spellings_were_tried():
    count = sum(
        len(loss_spellings(name)) + len(metric_spellings(name)) for name, *_ in CASES.values()
    )
    assert count >= 100
