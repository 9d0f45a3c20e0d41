"""The problem that every optimizer is tried on: least squares, of which NumPy knows the gradient."""

import numpy as np

STEPS = 3
# Factor of the loss: the gradient's norm is then well above 1, so that clipping clips.
SCALE = 4.0
_RNG = np.random.default_rng(20240315)
INPUTS = _RNG.normal(size=(8, 4)).astype("float32")
TARGETS = (3 * _RNG.normal(size=(8, 5))).astype("float32")
KERNEL = _RNG.normal(size=(4, 5)).astype("float32")
BIAS = _RNG.normal(size=5).astype("float32")


def gradients(weights):
    """Of the mean of the squared errors, in float64."""
    kernel, bias = weights
    x = INPUTS.astype("float64")
    error = x @ kernel + bias - TARGETS
    return [2 * x.T @ error / error.size, 2 * error.sum(0) / error.size]


def trajectory(rule, learning_rate, clip=None, weight_decay=None, steps=STEPS, **arguments):
    """The weights after some steps in float64.

    Args:
        rule: how a weight moves, from ``reference``.
        learning_rate: a number, or a function of the number of steps already made.
        clip: what is done to the gradients first.
        weight_decay: decoupled decay, before the step; Loshchilov and Hutter, algorithm 2,
            https://arxiv.org/abs/1711.05101.
        steps: how many steps are made.
        arguments: of the rule.
    """
    weights = [KERNEL.astype("float64"), BIAS.astype("float64")]
    states = [{}, {}]
    for step in range(1, steps + 1):
        rate = learning_rate(step - 1) if callable(learning_rate) else learning_rate
        moved = [SCALE * g for g in gradients(weights)]
        moved = clip(moved) if clip else moved
        weights = [w * (1 - rate * weight_decay) for w in weights] if weight_decay else weights
        weights = [
            rule(w, g, state, rate, step, **arguments)
            for w, g, state in zip(weights, moved, states, strict=True)
        ]
    return weights
