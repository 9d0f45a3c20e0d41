"""Loops over the batches of a pass inside a TensorFlow graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from portable_models._backend.program import Pass

Once = Callable[[Any], dict[str, Any]]


def of_unknown_size(tensor: Any) -> Any:
    """The same tensor, whose number of rows is not known while it is traced, as in ``Model.fit``."""
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=[None, *tensor.shape[1:]])


def each_size(way: Pass, order: Any, once: Once, own: dict[str, Any]) -> dict[str, Any]:
    """Whole batches in a loop, and the one that is left over."""
    batches, rest = way.batches(order)

    def one(number: Any, _: Any) -> Any:
        return number + 1, once(batches[number])

    if batches.shape[0]:
        _, own = tf.while_loop(
            lambda number, _: number < batches.shape[0],
            one,
            [tf.constant(0), own],
            parallel_iterations=1,
        )
    return once(rest) if rest.shape[0] else own


def any_size(way: Pass, order: Any, once: Once, own: dict[str, Any]) -> dict[str, Any]:
    """All batches in one loop, whose step is traced once for any number of rows."""
    count, places = -(-way.count // way.batch_size), order.shape[0]

    def one(number: Any, _: Any) -> Any:
        first = number * way.width
        return number + 1, once(order[first : tf.minimum(first + way.width, places)])

    _, own = tf.while_loop(
        lambda number, _: number < count, one, [tf.constant(0), own], parallel_iterations=1
    )
    return own
