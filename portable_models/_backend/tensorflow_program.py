"""An epoch on TensorFlow: a loop inside one XLA program over the model's own variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from portable_models._backend.base import Gather, Program


def program(step: Callable[[Any], Any], gather: Gather) -> Program:
    """One pass of ``model.train_step`` or ``model.test_step``; see ``Backend.training_program``."""

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def whole(tensors: Any, batches: Any, rest: Any) -> None:
        def one(number: Any) -> Any:
            step(gather(tensors, batches[number]))
            return number + 1

        if batches.shape[0]:
            tf.while_loop(lambda number: number < batches.shape[0], one, [tf.constant(0)])
        if rest.shape[0]:
            step(gather(tensors, rest))

    def run(tensors: Any, batches: Any, rest: Any) -> None:
        whole(tensors, tf.constant(batches), tf.constant(rest))

    return run
