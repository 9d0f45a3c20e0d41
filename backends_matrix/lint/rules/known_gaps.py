"""PK8: settings with which Keras itself gives other numbers, or fails, on a backend (Keras 3.15.1)."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call
from backends_matrix.lint.rule import Report, Rule, define, on

POOLING = define(
    Rule(
        "PK801",
        "average-pooling-same",
        "known-gaps",
        'Average pooling with padding="same" that pads both sides.',
        "PyTorch counts the padding in the average and the other two do not: other numbers at the "
        "border, up to "
        "0.7 of a standard deviation.",
        'Use padding="valid", with ZeroPadding before it where the size matters, or a pool and strides of 2.',
    )
)
RESIZING = define(
    Rule(
        "PK802",
        "resizing-interpolation",
        "known-gaps",
        "An interpolation of resizing that the backends do not share.",
        "bicubic gives other numbers on PyTorch; lanczos raises there; area is known to TensorFlow alone.",
        'Use "bilinear" or "nearest".',
        "ValueError: Resizing with Lanczos interpolation is not supported by the PyTorch backend",
    )
)
PADDING = define(
    Rule(
        "PK803",
        "padding-mode",
        "known-gaps",
        "A mode of keras.ops.pad that the backends do not share.",
        "symmetric gives other numbers on PyTorch, or raises; other modes than constant and reflect raise on "
        "TensorFlow and PyTorch.",
        'Use "constant" or "reflect", or concatenate flipped slices.',
        "NotImplementedError: Unrecognised padding mode edge (PyTorch)",
    )
)
SPARSE = define(
    Rule(
        "PK804",
        "sparse-crossentropy-axis",
        "known-gaps",
        "Sparse categorical crossentropy with the classes on another axis than the last.",
        "JAX and TensorFlow raise; PyTorch computes it.",
        "Move the classes to the last axis with keras.ops.moveaxis.",
        "ValueError: Only axis=-1 is currently supported (TensorFlow)",
    )
)

_POOLS = {f"keras.layers.AveragePooling{n}D" for n in (1, 2, 3)} | {"keras.ops.average_pool"}
_RESIZING = {
    "keras.layers.Resizing": 2,
    "keras.layers.UpSampling2D": 2,
    "keras.ops.image.resize": 2,
}
_INTERPOLATIONS = {"bicubic", "lanczos3", "lanczos5", "area"}
_MODES = {
    "symmetric",
    "edge",
    "wrap",
    "maximum",
    "minimum",
    "mean",
    "median",
    "linear_ramp",
    "empty",
}


@on(Call)
def check_settings(event: Call, report: Report) -> None:
    """Settings of Keras's layers, losses and operations."""
    name, frame = event.name, event.frame
    if not name.startswith("keras.") or frame.gates:
        return
    if name in _POOLS:
        offset = 1 if name.startswith("keras.ops") else 0
        _check_pooling(event, offset, report)
    elif name in _RESIZING:
        value = event.argument(_RESIZING[name], "interpolation")
        # With antialiasing, the three agree on bicubic.
        smooth = event.keywords.get("antialias")
        unsure = value is not None and value.literal == "bicubic" and smooth is not None
        if (
            value is not None
            and value.literal in _INTERPOLATIONS
            and not (unsure and smooth is not None and smooth.literal is not False)
        ):
            report(
                RESIZING,
                frame,
                event.node,
                f"{value.literal} interpolation differs between backends",
            )
    elif name == "keras.ops.pad":
        value = event.argument(2, "mode")
        if value is not None and value.literal in _MODES:
            report(PADDING, frame, event.node, f"mode {value.literal!r} differs between backends")
    elif name.endswith((".sparse_categorical_crossentropy", ".SparseCategoricalCrossentropy")):
        value = event.keywords.get("axis")
        if value is not None and isinstance(value.literal, int) and value.literal >= 0:
            report(SPARSE, frame, event.node, "jax and tensorflow take the last axis (-1) only")


def _check_pooling(event: Call, offset: int, report: Report) -> None:
    padding = event.argument(2 + offset, "padding")
    if padding is None or padding.literal != "same":
        return
    pool = _numbers(event.expression(offset, "pool_size"))
    strides = _numbers(event.expression(1 + offset, "strides")) or pool
    if pool is None or strides is None:
        return
    if len(strides) == 1:
        strides = strides * len(pool)
    if len(pool) == 1:
        pool = pool * len(strides)
    # Seen on Keras 3.15.1: equal for pools of 1 and 2, and for odd pools that move by 1.
    if any(p > 2 and not (p % 2 and s == 1) for p, s in zip(pool, strides, strict=False)):
        report(
            POOLING,
            event.frame,
            event.node,
            "torch counts the padding in the average, jax and tensorflow do not",
        )


def _numbers(node: ast.expr | None) -> list[int] | None:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    found = [
        each.value
        for each in parts
        if isinstance(each, ast.Constant) and isinstance(each.value, int)
    ]
    return found if found and len(found) == len(parts) else None
