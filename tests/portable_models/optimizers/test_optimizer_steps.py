"""Three steps of every optimizer, inside the compiled ``fit``, against its paper in float64."""

import keras
import numpy as np
import pytest

from portable_models import names

from . import reference
from .problem import BIAS, INPUTS, KERNEL, SCALE, STEPS, TARGETS, trajectory

# In 3 steps of about 16 operations each on numbers of order 1; 1 - beta_2 = 1e-3, which float32
# knows only to 3e-5, moves a step of 0.1 by 2e-6 more.
TOLERANCE = 64 * np.finfo("float32").eps
# Five Newton-Schulz iterations, each of slope up to 3.4445, magnify the roundings of a step of 0.1.
MUON_TOLERANCE = 4 * TOLERANCE


def scaled_loss(y_true, y_pred):
    return SCALE * keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)


def linear_model(optimizer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    model.set_weights([KERNEL, BIAS])
    model.compile(optimizer, loss=scaled_loss)
    return model


def trained(optimizer, steps=STEPS):
    """The weights after some full-batch steps of ``fit``."""
    model = linear_model(optimizer)
    model.fit(INPUTS, TARGETS, batch_size=len(INPUTS), epochs=steps, verbose=0, shuffle=False)
    return model.get_weights()


def check(actual, expected, tolerance=TOLERANCE):
    moved = [np.abs(e - start).max() for e, start in zip(expected, (KERNEL, BIAS), strict=True)]
    assert min(moved) > 100 * tolerance, "nothing moved, so nothing would be proven"
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=0, atol=tolerance)


RULES = [
    ("SGD", reference.sgd, {}),
    ("RMSprop", reference.rmsprop, {}),
    ("RMSprop", reference.rmsprop, {"rho": 0.7, "momentum": 0.5, "epsilon": 0.01}),
    ("RMSprop", reference.rmsprop, {"centered": True, "epsilon": 0.01}),
    ("Adam", reference.adam, {}),
    ("Adam", reference.adam, {"beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.01}),
    ("Adam", reference.adam, {"amsgrad": True, "beta_2": 0.3}),
    ("Adamax", reference.adamax, {"beta_2": 0.6}),
    ("Nadam", reference.nadam, {"epsilon": 0.01}),
    ("Adagrad", reference.adagrad, {"initial_accumulator_value": 0.3, "epsilon": 0.01}),
    ("Adadelta", reference.adadelta, {"epsilon": 0.01}),
    ("Ftrl", reference.ftrl, {}),
    (
        "Ftrl",
        reference.ftrl,
        {
            "learning_rate_power": -0.6,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.4,
        },
    ),
    ("Lion", reference.lion, {"beta_1": 0.6, "beta_2": 0.8}),
    ("Lamb", reference.lamb, {}),
    ("Adafactor", reference.adafactor, {"clip_threshold": 0.5}),
]


@pytest.mark.parametrize(
    ("name", "rule", "arguments"),
    RULES,
    ids=[f"{name}-{'-'.join(arguments) or 'defaults'}" for name, _, arguments in RULES],
)
def test_steps_are_those_of_the_paper(name, rule, arguments):
    optimizer = names.optimizer(name, learning_rate=0.1, **arguments)
    check(trained(optimizer), trajectory(rule, 0.1, **arguments))


def test_adamw_decays_the_weights_apart_from_the_step():
    optimizer = names.optimizer("AdamW", learning_rate=0.1, weight_decay=0.2)
    check(trained(optimizer), trajectory(reference.adam, 0.1, weight_decay=0.2))


def test_muon_turns_matrices_and_leaves_the_rest_to_adamw():
    optimizer = names.optimizer("Muon", learning_rate=0.1, weight_decay=0.2, adam_weight_decay=0.2)
    check(trained(optimizer), trajectory(reference.muon, 0.1, weight_decay=0.2), MUON_TOLERANCE)


def test_loss_scaling_changes_nothing_but_the_scale():
    inner = names.optimizer("SGD", learning_rate=0.1, momentum=0.9)
    optimizer = names.optimizer("LossScaleOptimizer", inner_optimizer=inner)
    check(trained(optimizer), trajectory(reference.sgd, 0.1, momentum=0.9))


def test_loss_scaling_skips_a_step_that_is_not_finite_and_halves_the_scale():
    inner = names.optimizer("SGD", learning_rate=0.1)
    optimizer = names.optimizer("LossScaleOptimizer", inner_optimizer=inner, initial_scale=8.0)
    model = linear_model(optimizer)
    model.fit(INPUTS, np.full_like(TARGETS, np.inf), batch_size=len(INPUTS), verbose=0)
    for weight, start in zip(model.get_weights(), (KERNEL, BIAS), strict=True):
        np.testing.assert_array_equal(weight, start)
    assert float(optimizer.dynamic_scale) == 4.0


def test_every_optimizer_that_the_experiments_name_is_tested():
    alone = {"AdamW", "Muon", "LossScaleOptimizer"}
    # A wrapper of several optimizers, and one that no experiment names.
    untold = {"MultiOptimizer", "ScheduleFreeAdamW"}
    assert {name for name, *_ in RULES} | alone == set(names.known_names()["optimizer"]) - untold
