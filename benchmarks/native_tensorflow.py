"""The Boston network trained by a loop that is written for it in plain TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def trainer(weights: Any, x: Any, y: Any) -> Callable[[Any], Any]:
    """What trains through given orders of samples, ``(epochs, rows)``, one sample a step."""
    x, y = tf.constant(x), tf.constant(y)
    flat = [tf.Variable(each) for pair in weights for each in pair]
    moments = [tf.Variable(tf.zeros_like(each)) for each in flat]

    def loss_of(index: Any) -> Any:
        # Not x[index]: XLA takes what a slice begins at for a constant, and compiles anew for other orders.
        value = tf.gather(x, [index])
        for place in range(0, len(flat) - 2, 2):
            value = tf.nn.relu(value @ flat[place] + flat[place + 1])
        value = (value @ flat[-2] + flat[-1])[:, 0]
        return tf.reduce_mean(tf.square(value - tf.gather(y, [index])))

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def epochs(orders: Any) -> Any:
        def step(number: Any, total: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = loss_of(tf.gather(tf.reshape(orders, (-1,)), number))
            for weight, moment, gradient in zip(
                flat, moments, tape.gradient(loss, flat), strict=True
            ):
                moment.assign(RHO * moment + (1 - RHO) * gradient * gradient)
                weight.assign_sub(RATE * gradient / tf.sqrt(moment + EPSILON))
            return number + 1, total + loss

        count = orders.shape[0] * orders.shape[1]
        _, total = tf.while_loop(
            lambda number, _: number < count, step, [tf.constant(0), tf.constant(0.0)]
        )
        return total / count

    return lambda orders: float(epochs(tf.constant(orders)))
