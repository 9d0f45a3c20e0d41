"""The vanilla classifier: its arguments, its constraint, and training with momentum."""

import keras
import numpy as np
import pytest

from portable_models import models, names

from .reference import EPS, descend, forward, relu, sigmoid

_RNG = np.random.default_rng(2)
ROWS = _RNG.normal(size=(16, 8)).astype("float32")
LABELS = (ROWS[:, :1] > 0).astype("float32")


def lengths(model):
    return np.linalg.norm(model.get_layer("hidden").get_weights()[0], axis=0)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_max_norm_holds_after_training(activation):
    model = models.vanilla_compiled(
        activation=activation, constraint=0.2, dropout=0.25, learning_rate=1.0, momentum=0.9
    )
    model.set_weights([4 * weight for weight in model.get_weights()])
    assert lengths(model).max() > 0.2
    model.fit(ROWS, LABELS, epochs=3, batch_size=4, verbose=0)
    # The length is a sum of 8 squares, its root and a quotient, all in float32.
    assert lengths(model).max() <= 0.2 * (1 + 16 * EPS)


def test_uniform_is_small_and_even():
    kernel = models.vanilla(units=2000).get_layer("hidden").get_weights()[0]
    # Uniform in [-0.05, 0.05]: 16,000 draws miss the outer tenth with probability 0.9 ** 16000.
    assert 0.045 < np.abs(kernel).max() <= 0.05


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (3, {"max_value": 3.0, "axis": 0}),
        ("unit_norm", {"axis": 0}),
        ({"class_name": "MaxNorm", "config": {"max_value": 1.0}}, {"max_value": 1.0, "axis": 0}),
    ],
)
def test_constraint_is_a_norm_a_name_or_a_config(constraint, expected):
    layer = models.vanilla(constraint=constraint).get_layer("hidden")
    assert layer.kernel_constraint.get_config() == expected


def test_constraint_may_be_none():
    assert models.vanilla(constraint=None).get_layer("hidden").kernel_constraint is None


def test_a_norm_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="must be above 0; got 0"):
        models.vanilla(constraint=0)


def test_the_published_constraint_of_0_is_that_of_keras():
    model = models.vanilla_compiled(weight_constraint=0)
    constraint = model.get_layer("hidden").kernel_constraint
    assert constraint.get_config() == keras.constraints.MaxNorm(0).get_config()
    model.fit(ROWS, LABELS, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_layer("hidden").get_weights()[0], 0.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "bce", "metrics": ["accuracy", "kld"], "optimizer": "lamb"},
        {
            "loss": keras.losses.binary_crossentropy,
            "metrics": [keras.metrics.AUC],
            "optimizer": keras.optimizers.Adam(0.1),
        },
        {
            "loss": {"class_name": "Huber", "config": {"delta": 2.0}},
            "metrics": ["acc"],
            "optimizer": keras.optimizers.SGD,
        },
    ],
    ids=["names", "objects", "configs"],
)
def test_it_is_compiled_with_what_a_recipe_takes(settings):
    model = models.vanilla_compiled(**settings)
    history = model.fit(ROWS, LABELS, epochs=1, verbose=0).history
    assert len(history) == 1 + len(settings["metrics"])


def test_momentum_of_an_optimizer_without_is_refused():
    with pytest.raises(names.ArgumentsError, match="optimizer 'adam' takes learning_rate, beta_1"):
        models.vanilla_compiled(optimizer="adam", momentum=0.9)


def test_settings_reach_the_optimizer():
    model = models.vanilla_compiled(learning_rate=0.5, momentum=0.9)
    assert float(model.optimizer.learning_rate) == 0.5
    assert model.optimizer.momentum == 0.9


def test_two_steps_with_momentum_are_those_of_the_formula():
    model = models.vanilla_compiled(learning_rate=0.5, momentum=0.9, constraint=None)
    model.set_weights([10 * weight for weight in model.get_weights()])
    start = model.get_weights()
    model.fit(ROWS, LABELS, epochs=2, batch_size=16, verbose=0, shuffle=False)

    def loss(weights):
        p = forward(weights, ROWS, [relu, sigmoid])
        return -(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p)).mean()

    first = descend(start, loss, 0.5)
    second = descend(first, loss, 0.5)
    expected = [b + 0.9 * (a - w) for w, a, b in zip(start, first, second, strict=True)]
    for actual, wanted in zip(model.get_weights(), expected, strict=True):
        # Two steps through sums of 16 samples and 8 features, on numbers of order 1.
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=32 * EPS)


def test_saved_model_keeps_its_constraint(tmp_path):
    models.vanilla(constraint=0.5).save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_layer("hidden").kernel_constraint.get_config()["max_value"] == 0.5
