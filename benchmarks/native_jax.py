"""The Boston network trained by a loop that is written for it in plain JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def _outputs(weights: Any, x: Any) -> Any:
    for kernel, bias in weights[:-1]:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = weights[-1]
    return (x @ kernel + bias)[:, 0]


def _loss(weights: Any, x: Any, y: Any) -> Any:
    return jnp.mean(jnp.square(_outputs(weights, x) - y))


def trainer(weights: Any, x: Any, y: Any) -> Callable[[Any], Any]:
    """What trains through given orders of samples, ``(epochs, rows)``, one sample a step."""
    x, y = jnp.asarray(x), jnp.asarray(y)

    def step(state: Any, index: Any) -> tuple[Any, Any]:
        weights, moments = state
        row = (x[index][None], y[index][None])
        loss, gradients = jax.value_and_grad(_loss)(weights, *row)
        moments = jax.tree.map(lambda m, g: RHO * m + (1 - RHO) * g * g, moments, gradients)
        weights = jax.tree.map(
            lambda w, g, m: w - RATE * g / jnp.sqrt(m + EPSILON), weights, gradients, moments
        )
        return (weights, moments), loss

    @jax.jit  # type: ignore[untyped-decorator]
    def epochs(state: Any, orders: Any) -> Any:
        return jax.lax.scan(lambda s, order: jax.lax.scan(step, s, order), state, orders)

    start = jax.tree.map(jnp.asarray, weights)
    state = (start, jax.tree.map(jnp.zeros_like, start))
    return lambda orders: np.asarray(epochs(state, jnp.asarray(orders))[1].mean(axis=1))
