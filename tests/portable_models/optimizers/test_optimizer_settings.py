"""Settings that must train identically: momentum, decay, clipping, accumulation, name or object."""

import functools

import keras
import numpy as np
import pytest

from portable_models import names

from . import reference
from .problem import INPUTS, STEPS, TARGETS, trajectory
from .test_optimizer_steps import TOLERANCE, check, linear_model, trained

schedules = keras.optimizers.schedules
DECAYS = {
    "exponential": (
        schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5),
        lambda step: 0.1 * 0.5 ** (step / 2),
    ),
    "staircase": (
        schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5, staircase=True),
        lambda step: 0.1 * 0.5 ** (step // 2),
    ),
    # What Keras 2 called decay=0.5.
    "inverse time": (
        schedules.InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5),
        lambda step: 0.1 / (1 + 0.5 * step),
    ),
    "piecewise": (
        schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.05, 0.01]),
        lambda step: 0.1 if step <= 1 else 0.05 if step <= 3 else 0.01,
    ),
    "polynomial": (
        schedules.PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.02, power=2.0),
        lambda step: 0.08 * (1 - min(step, 4) / 4) ** 2 + 0.02,
    ),
    "cosine": (
        schedules.CosineDecay(0.1, decay_steps=4, alpha=0.1),
        lambda step: 0.1 * (0.9 * (1 + np.cos(np.pi * min(step, 4) / 4)) / 2 + 0.1),
    ),
    "cosine with warm-up": (
        schedules.CosineDecay(0.0, decay_steps=4, warmup_target=0.1, warmup_steps=2),
        lambda step: 0.05 * step if step < 2 else 0.05 * (1 + np.cos(np.pi * min(step - 2, 4) / 4)),
    ),
    "restarts": (
        schedules.CosineDecayRestarts(0.1, first_decay_steps=2, t_mul=2.0, m_mul=0.5),
        lambda step: (
            0.05 * (1 + np.cos(np.pi * step / 2))
            if step < 2
            else 0.025 * (1 + np.cos(np.pi * (step - 2) / 4))
        ),
    ),
}


@pytest.mark.parametrize("name", DECAYS)
def test_learning_rate_decays_as_documented(name):
    schedule, formula = DECAYS[name]
    rates = [float(schedule(step)) for step in range(6)]
    # At most 16 float32 operations on rates of at most 0.1.
    expected = [formula(step) for step in range(6)]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=16 * np.finfo("float32").eps * 0.1)


SETTINGS = {
    "momentum": ({"momentum": 0.9}, {"momentum": 0.9}),
    "nesterov": ({"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
    "clipnorm": (
        {"clipnorm": 1.0},
        {"clip": functools.partial(reference.clipped_by_norm, norm=1.0)},
    ),
    "clipvalue": (
        {"clipvalue": 0.5},
        {"clip": functools.partial(reference.clipped_by_value, value=0.5)},
    ),
    "global_clipnorm": (
        {"global_clipnorm": 1.0},
        {"clip": functools.partial(reference.clipped_by_global_norm, norm=1.0)},
    ),
    "weight_decay": ({"weight_decay": 0.2}, {"weight_decay": 0.2}),
    "loss_scale_factor": ({"loss_scale_factor": 128.0}, {}),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_sgd_with(setting):
    arguments, formula = SETTINGS[setting]
    optimizer = names.optimizer("SGD", learning_rate=0.1, **arguments)
    check(trained(optimizer), trajectory(reference.sgd, 0.1, **formula))


@pytest.mark.parametrize("name", ["exponential", "inverse time"])
def test_sgd_with_momentum_nesterov_and_decay(name):
    schedule, rate = DECAYS[name]
    optimizer = names.optimizer("SGD", learning_rate=schedule, momentum=0.9, nesterov=True)
    check(trained(optimizer), trajectory(reference.sgd, rate, momentum=0.9, nesterov=True))


def test_accumulated_gradients_make_one_step_of_their_mean():
    optimizer = names.optimizer("SGD", learning_rate=0.1, gradient_accumulation_steps=2)
    check(trained(optimizer, steps=5), trajectory(reference.sgd, 0.1, steps=2))


def test_averaged_weights_are_taken_at_the_end_of_fit():
    optimizer = names.optimizer("SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.8)
    average = trajectory(reference.sgd, 0.1, steps=1)
    for steps in (2, 3):
        moved = trajectory(reference.sgd, 0.1, steps=steps)
        average = [0.8 * a + 0.2 * w for a, w in zip(average, moved, strict=True)]
    # fit() takes the average at the end of an epoch, so the three steps are one epoch here.
    model = linear_model(optimizer)
    thrice = [np.concatenate([rows] * STEPS) for rows in (INPUTS, TARGETS)]
    model.fit(*thrice, batch_size=len(INPUTS), verbose=0, shuffle=False)
    check(model.get_weights(), average)


# https://keras.io/api/optimizers, as of Keras 3.15; what all of them have in common stands once.
COMMON = {
    "learning_rate": 0.001,
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
MOMENTS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
DEFAULTS = {
    "Adadelta": {"rho": 0.95, "epsilon": 1e-7},
    "Adafactor": {
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 1e-3,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
    "Adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "Adam": {**MOMENTS, "amsgrad": False},
    "AdamW": {**MOMENTS, "amsgrad": False, "weight_decay": 0.004},
    "Adamax": MOMENTS,
    "Ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    },
    "Lamb": MOMENTS,
    "Lion": {"beta_1": 0.9, "beta_2": 0.99},
    "Nadam": MOMENTS,
    "RMSprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_optimizer_given_by_name_has_the_documented_defaults(name):
    config = names.optimizer(name.lower()).get_config()
    del config["name"]
    # The learning rate comes back from a float32 variable.
    expected = {**COMMON, **DEFAULTS[name]}
    expected["learning_rate"] = float(np.float32(expected["learning_rate"]))
    assert config == expected


def test_name_class_config_and_object_train_identically():
    rate = {"learning_rate": 0.1}
    made = names.optimizer("rmsprop", **rate)
    weights = [
        trained(optimizer)
        for optimizer in (
            made,
            names.optimizer(keras.optimizers.RMSprop, **rate),
            names.optimizer(names.serialize(made)),
            keras.optimizers.RMSprop(0.1),
        )
    ]
    for others in weights[1:]:
        for first, other in zip(weights[0], others, strict=True):
            np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd", "adam"])
def test_an_optimizer_given_by_name_takes_its_default_steps(optimizer):
    rule = {"rmsprop": reference.rmsprop, "sgd": reference.sgd, "adam": reference.adam}[optimizer]
    rate = 0.01 if optimizer == "sgd" else 0.001
    # Such steps move a weight by 0.003, so what they are off by is the rounding of the weight.
    check(trained(optimizer), trajectory(rule, rate), TOLERANCE / 8)
