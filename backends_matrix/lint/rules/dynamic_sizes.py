"""PK502, second part: sizes and bounds of slices that are tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backends_matrix.lint.events import Call, Index
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.rule import Report, on
from backends_matrix.lint.rules.shapes import DATA
from backends_matrix.lint.values import Kind, Value

_RANDOM = ("normal", "uniform", "truncated_normal", "randint", "gamma", "beta", "binomial")
_SIZES: dict[str, tuple[tuple[int, str], ...]] = {
    **{f"keras.ops.{name}": ((0, "shape"),) for name in ("zeros", "ones", "empty", "full")},
    **{f"keras.random.{name}": ((0, "shape"),) for name in _RANDOM},
    "keras.ops.arange": ((0, "start"), (1, "stop"), (2, "step")),
    "keras.ops.broadcast_to": ((1, "shape"),),
    "keras.ops.eye": ((0, "N"), (1, "M")),
    "keras.ops.identity": ((0, "n"),),
    "keras.ops.linspace": ((2, "num"),),
    "keras.ops.one_hot": ((1, "num_classes"),),
    "keras.ops.repeat": ((1, "repeats"),),
    "keras.ops.reshape": ((1, "newshape"),),
    "keras.ops.split": ((1, "indices_or_sections"),),
    "keras.ops.tile": ((1, "repeats"),),
    "keras.ops.top_k": ((1, "k"),),
}
"""Function -> position and name of its arguments that give a size."""


def _applies(frame: Frame) -> bool:
    return frame.is_traced and not frame.gates


def _has_tensor(value: Value) -> bool:
    return value.is_tensor or (
        value.kind is Kind.ITEMS and any(each.is_tensor for each in value.items)
    )


@on(Call)
def check_sizes(event: Call, report: Report) -> None:
    """Sizes as arguments of operations."""
    if not _applies(event.frame):
        return
    for position, keyword in _SIZES.get(event.name, ()):
        value = event.argument(position, keyword)
        if value is not None and _has_tensor(value):
            message = f"a size of {event.name} is a tensor, and jax needs a number"
            report(DATA, event.frame, event.node, message)


@on(Index)
def check_bounds(event: Index, report: Report) -> None:
    """Bounds of slices."""
    if not _applies(event.frame) or event.store or not event.base.is_tensor:
        return
    if any(each.is_tensor for part in _slices(event) for each in part.items):
        message = "a bound of the slice is a tensor, and jax needs a number"
        report(DATA, event.frame, event.node, message)


def _slices(event: Index) -> Iterator[Value]:
    if isinstance(event.node.slice, ast.Slice):
        yield event.index
    elif isinstance(event.node.slice, ast.Tuple) and event.index.kind is Kind.ITEMS:
        for node, value in zip(event.node.slice.elts, event.index.items, strict=False):
            if isinstance(node, ast.Slice):
                yield value
