"""Several losses, an overridden compute_loss and a wrapped train_step, against NumPy."""

import keras
import numpy as np
import pytest

from portable_models import models

from .reference import EPS, descend, forward, relu, softmax

_RNG = np.random.default_rng(3)
ROWS = _RNG.normal(size=(6, 5)).astype("float32")
TARGETS = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 1]]
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.0, 1.0, 1.5], dtype="float32")
# One step through sums of 6 samples and 5 features, on numbers of order 1.
TOLERANCE = 32 * EPS


def predictions(weights, rows=ROWS):
    return forward(weights, rows, [relu, softmax])


def crossentropy(y, p):
    return -(y * np.log(p)).sum(-1)


def one_step(model, **fit):
    start = model.get_weights()
    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy")
    history = model.fit(ROWS, TARGETS, batch_size=6, verbose=0, shuffle=False, **fit)
    return start, history.history["loss"][0]


def close(model, expected):
    for actual, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_confidence_penalty_is_in_the_loss_and_in_its_gradient(sample_weight):
    model = models.ConfidencePenaltyClassifier(5, units=4, penalty=0.3)
    start, reported = one_step(model, sample_weight=sample_weight)
    ones = np.ones(6) if sample_weight is None else sample_weight

    def loss(weights):
        p = predictions(weights)
        return (ones * crossentropy(TARGETS, p)).mean() + 0.3 * (p * np.log(p)).sum(-1).mean()

    np.testing.assert_allclose(reported, loss(start), rtol=TOLERANCE)
    close(model, descend(start, loss, 0.5))


def test_mixup_trains_on_blends_and_evaluates_on_samples():
    model = models.MixupClassifier(5, units=4, share=0.75)
    start, reported = one_step(model)
    rows, targets = (0.75 * a + 0.25 * a[::-1] for a in (ROWS, TARGETS))

    def loss(weights):
        return crossentropy(targets, predictions(weights, rows)).mean()

    np.testing.assert_allclose(reported, loss(start), rtol=TOLERANCE)
    close(model, descend(start, loss, 0.5))
    evaluated = model.evaluate(ROWS, TARGETS, verbose=0)
    plain = crossentropy(TARGETS, predictions(model.get_weights())).mean()
    np.testing.assert_allclose(evaluated, plain, rtol=TOLERANCE)


def test_mixup_trains_on_one_batch_too():
    model = models.MixupClassifier(5, units=4)
    model.compile("sgd", "categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(ROWS, TARGETS))


@pytest.mark.parametrize(
    "build",
    [
        lambda: models.ConfidencePenaltyClassifier(5, units=4, classes=3, penalty=0.3),
        lambda: models.MixupClassifier(5, units=4, classes=3, share=0.6),
    ],
    ids=["confidence", "mixup"],
)
def test_saved_model_trains_in_its_own_way(build, tmp_path):
    model = build()
    model.compile("sgd", "categorical_crossentropy")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    losses = [each.fit(ROWS, TARGETS, verbose=0, shuffle=False).history for each in (model, again)]
    assert losses[0] == losses[1]


def test_several_losses_are_summed_with_their_weights():
    model = models.several_compiled(measurements=2, districts=2, units=3)
    inputs = {"measurements": ROWS[:, :2], "district": ROWS[:, 2:4]}
    targets = {"price": ROWS[:, 4:], "style": TARGETS}
    logs = model.evaluate(inputs, targets, batch_size=6, verbose=0, return_dict=True)
    outputs = model.predict(inputs, verbose=0)
    price = ((outputs["price"].astype("float64") - targets["price"]) ** 2).mean()
    style = crossentropy(TARGETS, outputs["style"].astype("float64")).mean()
    np.testing.assert_allclose(logs["price_loss"], price, rtol=TOLERANCE)
    np.testing.assert_allclose(logs["style_loss"], style, rtol=TOLERANCE)
    np.testing.assert_allclose(logs["loss"], 0.25 * price + style, rtol=TOLERANCE)


def test_several_outputs_each_have_their_metric():
    model = models.several_compiled(measurements=2, districts=2, units=3)
    inputs = {"measurements": ROWS[:, :2], "district": ROWS[:, 2:4]}
    logs = model.evaluate(
        inputs, {"price": ROWS[:, 4:], "style": TARGETS}, verbose=0, return_dict=True
    )
    outputs = model.predict(inputs, verbose=0)
    right = outputs["style"].argmax(-1) == TARGETS.argmax(-1)
    error = np.abs(outputs["price"].astype("float64") - ROWS[:, 4:]).mean()
    np.testing.assert_allclose(logs["style_categorical_accuracy"], right.mean(), rtol=TOLERANCE)
    np.testing.assert_allclose(logs["price_mae"], error, rtol=TOLERANCE)
