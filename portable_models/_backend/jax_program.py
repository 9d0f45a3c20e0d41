"""An epoch on JAX: ``lax.scan`` over Keras's stateless training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from portable_models._backend.base import Gather, Program

Step = Callable[[Any, Any], tuple[Any, Any]]
"""``(state, data) -> (logs, state)``, as ``keras.Model.train_step`` is on JAX."""


def training_program(model: Any, gather: Gather) -> Program:
    """One epoch of ``model.train_step``; see ``Backend.training_program``."""
    optimizer = model.optimizer
    groups = [
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
        model.metrics_variables,
    ]
    return _program(model.train_step, groups, gather)


def test_program(model: Any, gather: Gather) -> Program:
    """One pass of ``model.test_step``; see ``Backend.test_program``."""
    groups = [model.trainable_variables, model.non_trainable_variables, model.metrics_variables]
    return _program(model.test_step, groups, gather)


def _program(step: Step, groups: Sequence[Sequence[Any]], gather: Gather) -> Program:
    def whole(state: Any, tensors: Any, batches: Any, rest: Any) -> Any:
        def one(state: Any, indices: Any) -> tuple[Any, None]:
            _, after = step(state, gather(tensors, indices))
            return tuple(list(group) for group in after), None

        if batches.shape[0]:
            state, _ = jax.lax.scan(one, state, batches)
        if rest.shape[0]:
            state, _ = one(state, rest)
        return state

    compiled = jax.jit(whole)

    def run(tensors: Any, batches: Any, rest: Any) -> None:
        state = tuple([variable.value for variable in group] for group in groups)
        after = compiled(state, tensors, batches, rest)
        for group, values in zip(groups, after, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    return run
