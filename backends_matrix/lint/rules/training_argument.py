"""PK805: a model's call that leaves it to Keras to tell the layers that they are trained."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.rule import Report, Rule, define, on, replace, source
from backends_matrix.lint.values import Kind, Value

TRAINING = define(
    Rule(
        "PK805",
        "training-not-handed-on",
        "known-gaps",
        "The call of a subclassed model does not hand training to a layer that acts otherwise in training.",
        "On JAX fit runs call by itself, so that the layer computes as in inference: Dropout drops nothing, "
        "and BatchNormalization keeps its first statistics. TensorFlow and PyTorch train as expected. Merged "
        "upstream after Keras 3.15.1.",
        "Write self.dropout(x, training=training).",
    )
)

_ACT_OTHERWISE = frozenset(
    (
        "AlphaDropout",
        "BatchNormalization",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
    )
)


@on(Call)
def check_training(event: Call, report: Report) -> None:
    """Calls of the model's own layers."""
    frame, receiver = event.frame, event.receiver
    if frame.role != "call" or frame.gates or receiver is None or receiver.kind is not Kind.SELF:
        return
    info = receiver.info
    # A call that does not take it is not told of training on any backend.
    if info is None or "model" not in info.kinds() or not _takes_training(frame.node):
        return
    # By position, training comes second.
    if len(event.args) > 1 or {"training", "**"} & event.keywords.keys():
        return
    layer = event.reader.attributes(info).get(event.method)
    if layer is not None and _acts_otherwise(layer):
        report(
            TRAINING,
            frame,
            event.node,
            f"on jax, self.{event.method} is not told that it is trained",
            fix=_hand_on(event),
        )


def _takes_training(function: ast.AST | None) -> bool:
    return isinstance(function, ast.FunctionDef) and any(
        each.arg == "training" for each in (*function.args.args, *function.args.kwonlyargs)
    )


def _acts_otherwise(layer: Value) -> bool:
    if layer.kind is not Kind.LAYER:
        return False
    if layer.info is not None:
        found = layer.info.method("call")
        return found is not None and _takes_training(found[1])
    return layer.name.rpartition(".")[2] in _ACT_OTHERWISE


def _hand_on(event: Call) -> Fix | None:
    text = source(event.frame.module, event.node)
    if not text or not event.node.args:
        return None
    inside = text.rstrip()[:-1].rstrip().removesuffix(",")
    edit = replace(event.frame.module, event.node, f"{inside}, training=training)")
    return Fix("hand training on", True, (edit,))
