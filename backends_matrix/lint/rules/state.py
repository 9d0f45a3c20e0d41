"""PK3: what compiled code may not change: tensors in place, attributes, weights, layers and metrics."""

from __future__ import annotations

import ast

from backends_matrix.lint.ancestry import keras_kind
from backends_matrix.lint.calls import ADDING
from backends_matrix.lint.events import Augment, Call, Index, SetMember
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.operations import STATELESS
from backends_matrix.lint.rule import Report, Rule, define, on, replace, source
from backends_matrix.lint.values import Kind

ITEM = define(
    Rule(
        "PK301",
        "item-assignment",
        "state",
        "An item or slice of a tensor is assigned to.",
        "Tensors of JAX and TensorFlow cannot be changed. On PyTorch the caller's tensor changes.",
        "Use keras.ops.scatter_update or where; keras.ops.slice_update has no gradient on TensorFlow.",
        "TypeError: JAX arrays are immutable; 'SymbolicTensor' object does not support item assignment",
    )
)
AUGMENTED = define(
    Rule(
        "PK302",
        "shared-in-place",
        "state",
        "A tensor that has a second name is changed with an operator such as +=.",
        "On PyTorch += changes the tensor itself, so that the other name, or the caller's input, "
        "changes too; "
        "on JAX and TensorFlow a new tensor is made.",
        "Write x = x + y.",
    )
)
ATTRIBUTE = define(
    Rule(
        "PK303",
        "tensor-in-attribute",
        "state",
        "A tensor is kept in an attribute of self in compiled code.",
        "On JAX and TensorFlow the attribute holds a placeholder of the compilation after that, "
        "which fails or "
        "leaks when it is used; on PyTorch it holds the last value.",
        "Return the tensor, or keep it in a variable made in build and assign to that.",
        "UnexpectedTracerError (JAX); InaccessibleTensorError / 'tensor is out of scope' (TensorFlow)",
    )
)
WEIGHT = define(
    Rule(
        "PK304",
        "weight-in-call",
        "state",
        "A weight or variable is made in call.",
        "Each call or compilation makes another one. JAX and TensorFlow raise in the compiled step; PyTorch "
        "trains a variable that the optimizer does not know.",
        "Make weights in build.",
        "ValueError: tf.function only supports singleton tf.Variables (TensorFlow)",
    )
)
LAYER = define(
    Rule(
        "PK305",
        "layer-in-call",
        "state",
        "A layer is made in call.",
        "Each call makes a layer with new weights, which are neither trained nor saved.",
        "Make layers in __init__ or build and keep them in attributes.",
        "ValueError: tf.function only supports singleton tf.Variables (TensorFlow)",
    )
)
METRIC = define(
    Rule(
        "PK306",
        "metric-in-call",
        "state",
        "A metric is updated in the call of a layer or model.",
        "fit raises on JAX, where call runs without the metrics' variables.",
        "Update metrics in compute_metrics, train_step or compute_loss of the model.",
        "TypeError: 'NoneType' object is not callable (JAX)",
    )
)
PYTHON = define(
    Rule(
        "PK307",
        "python-state",
        "state",
        "A Python number or list of self is changed in compiled code.",
        "JAX and TensorFlow run the Python code once for each compilation and not for each step, so that the "
        "value differs from PyTorch's.",
        "Use a variable: self.add_weight(..., trainable=False) in build, and .assign_add in call.",
    )
)
REBOUND = define(
    Rule(
        "PK308",
        "variable-rebound",
        "state",
        "A variable of self is replaced instead of assigned to.",
        "The attribute holds a tensor afterwards and the variable is lost: it is no longer saved, and on JAX "
        "and TensorFlow the tensor belongs to the compilation.",
        "Use .assign, .assign_add or .assign_sub of the variable.",
        "UnexpectedTracerError (JAX)",
    )
)

_IN_CALL = ("call", "step", "loss", "metric")


def _applies(frame: Frame) -> bool:
    return frame.is_traced and not frame.gates


@on(Index)
def check_item(event: Index, report: Report) -> None:
    """Assignments to items."""
    if not event.store or not _applies(event.frame):
        return
    slices = isinstance(event.node.slice, ast.Slice | ast.Tuple)
    if event.base.is_tensor or (event.base.kind is Kind.NESTED and not event.base.weak and slices):
        report(ITEM, event.frame, event.node, "a part of a tensor is assigned to")


@on(Augment)
def check_augmented(event: Augment, report: Report) -> None:
    """In-place operators on a tensor with two names."""
    number = isinstance(event.node.value, ast.Constant)
    sure = event.value.is_tensor or (event.value.kind is Kind.NESTED and number)
    if not event.shared or not sure or not _applies(event.frame):
        return
    if event.frame.role in ("schedule", "regularizer", "constraint", "optimizer"):
        return
    node, module = event.node, event.frame.module
    assert isinstance(node.target, ast.Name)
    name = node.target.id
    symbol = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(node.op))
    value = source(module, node.value)
    fix = None
    if symbol and value:
        simple = isinstance(node.value, ast.Name | ast.Constant | ast.Call | ast.Attribute)
        value = value if simple else f"({value})"
        edit = replace(module, node, f"{name} = {name} {symbol} {value}")
        fix = Fix("make a new tensor", True, (edit,))
    what = (
        "the caller's tensor" if event.shared == name else f"the tensor that {event.shared} names"
    )
    report(AUGMENTED, event.frame, node, f"on torch this changes {what} too", fix=fix)


@on(SetMember)
def check_attribute(event: SetMember, report: Report) -> None:
    """Assignments to attributes of self."""
    frame, node = event.frame, event.node
    if event.base.kind is not Kind.SELF or not _applies(frame):
        return
    name = f"self.{node.attr}"
    if event.before.kind is Kind.VARIABLE and not frame.lazy:
        report(REBOUND, frame, node, f"{name} is a variable, and is replaced here by a tensor")
    elif (
        event.augmented
        and event.before.kind is Kind.OTHER
        and frame.role in ("call", "step", "loss")
    ):
        if isinstance(event.before.literal, int | float):
            report(
                PYTHON, frame, node, f"{name} is a Python number and changes once per compilation"
            )
    elif (
        (event.value.holds_tensors and not event.augmented)
        or (event.augmented and event.value.is_tensor)
    ) and not _is_cleared(frame, node):
        report(ATTRIBUTE, frame, node, f"{name} keeps a tensor of one call")


def _is_cleared(frame: Frame, target: ast.Attribute) -> bool:
    """Whether the function deletes the attribute, or sets it to None, further down."""
    for node in ast.walk(frame.node) if frame.node is not None else ():
        match node:
            case ast.Assign(targets=targets, value=ast.Constant(value=None)):
                pass
            case ast.Delete(targets=targets):
                pass
            case _:
                continue
        if node.lineno > target.lineno and dotted(target) in map(dotted, targets):
            return True
    return False


@on(Call)
def check_calls(event: Call, report: Report) -> None:
    """Weights, layers and metrics in compiled code."""
    frame = event.frame
    if not _applies(frame):
        return
    lazy = frame.lazy
    own = event.receiver is not None and (
        event.receiver.kind is Kind.SELF or event.receiver.name == "super"
    )
    if (
        not lazy
        and frame.role in _IN_CALL
        and (
            (event.method in ADDING and own)
            or event.name in ("keras.Variable", "keras.backend.Variable")
        )
    ):
        report(
            WEIGHT,
            frame,
            event.node,
            "a variable is made each time that this is called or compiled",
        )
    elif not lazy and frame.role == "call" and event.name and keras_kind(event.name) == "layer":
        if event.name.rpartition(".")[2] not in STATELESS:
            report(
                LAYER,
                frame,
                event.node,
                f"{event.name} is made each time that this is called or compiled",
            )
    elif not lazy and frame.role == "call" and _makes_layer(event):
        report(
            LAYER, frame, event.node, "a layer is made each time that this is called or compiled"
        )
    elif event.method in ("update_state", "__call__") and event.receiver is not None:
        if event.receiver.kind is Kind.METRIC and frame.role == "call":
            report(METRIC, frame, event.node, "a metric is updated in call")
    elif event.method in ("append", "extend") and frame.role == "call":
        _check_append(event, report)


def _makes_layer(event: Call) -> bool:
    made = event.made
    if made is None or made.kind is not Kind.LAYER or made.info is None:
        return False
    held = event.reader.attributes(made.info).values()
    return any(each.kind in (Kind.VARIABLE, Kind.LAYER, Kind.SEED) for each in held)


def _check_append(event: Call, report: Report) -> None:
    func = event.node.func
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Attribute):
        return
    owner = event.frame.lookup(dotted(func.value).partition(".")[0])
    if (
        owner is not None
        and owner.kind is Kind.SELF
        and any(each.holds_tensors for each in event.args)
    ):
        report(
            ATTRIBUTE, event.frame, event.node, f"{dotted(func.value)} keeps tensors of one call"
        )
