"""PK2: Python's own control flow and conversions on a tensor."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call, Iterate, Test
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.rule import Report, Rule, define, on
from backends_matrix.lint.values import Kind, Value

_SEEN = (
    "TracerBoolConversionError (JAX), or in its place AttributeError: 'str' object has no attribute "
    "'_error_repr'; OperatorNotAllowedInGraphError: Using a symbolic tf.Tensor as a Python "
    "bool is not allowed (TensorFlow)"
)

IF = define(
    Rule(
        "PK201",
        "if-on-tensor",
        "control-flow",
        "A Python if or conditional expression tests a tensor.",
        "JAX and TensorFlow compile the function once, before the tensor has a value. PyTorch runs it.",
        "Use keras.ops.where, or keras.ops.cond for a branch that must not be computed.",
        _SEEN,
    )
)
WHILE = define(
    Rule(
        "PK202",
        "while-on-tensor",
        "control-flow",
        "A Python while loop tests a tensor.",
        "JAX and TensorFlow compile the function once, before the tensor has a value. PyTorch runs it.",
        "Use keras.ops.while_loop.",
        _SEEN,
    )
)
FOR = define(
    Rule(
        "PK203",
        "loop-over-tensor",
        "control-flow",
        "A Python loop runs over a tensor, or a number of times that a tensor holds.",
        "TensorFlow cannot iterate over a tensor that is being compiled, nor JAX over one that counts.",
        "Use whole-tensor operations, keras.ops.unstack along an axis of known size, keras.ops.scan or "
        "keras.ops.fori_loop.",
        "OperatorNotAllowedInGraphError: Iterating over a symbolic tf.Tensor is not allowed",
    )
)
ASSERT = define(
    Rule(
        "PK204",
        "assert-on-tensor",
        "control-flow",
        "A Python assert tests a tensor.",
        "JAX and TensorFlow compile the function once, before the tensor has a value. PyTorch runs it.",
        "Check shapes and settings, which are known; check values outside of the model.",
        _SEEN,
    )
)
CONVERT = define(
    Rule(
        "PK205",
        "python-conversion",
        "control-flow",
        "bool, int, float or len is called on a tensor.",
        "A tensor that is being compiled on JAX or TensorFlow has no value to convert. On PyTorch the result "
        "is cut off from the gradient.",
        "Use keras.ops.cast to change the dtype, and x.shape or keras.ops.shape for a length.",
        "ConcretizationTypeError (JAX); TypeError: int() argument must be … not 'SymbolicTensor' "
        "(TensorFlow)",
    )
)
BOOLEAN = define(
    Rule(
        "PK206",
        "boolean-operator",
        "control-flow",
        "and, or, not or a chained comparison is applied to a tensor.",
        "Python asks for the truth of the tensor, which has no value while JAX and TensorFlow compile.",
        "Use keras.ops.logical_and, logical_or and logical_not.",
        _SEEN,
    )
)
BUILTIN = define(
    Rule(
        "PK207",
        "python-builtin",
        "control-flow",
        "max, min, sum, any, all, sorted or round of Python is called on a tensor.",
        "These iterate over the tensor or compare its values in Python.",
        "Use keras.ops.maximum, minimum, sum, any, all, sort or round.",
        "OperatorNotAllowedInGraphError (TensorFlow); TracerBoolConversionError (JAX)",
    )
)

_BY_WORD = {
    "if": IF,
    "conditional expression": IF,
    "condition of a comprehension": IF,
    "while": WHILE,
    "assert": ASSERT,
    "and": BOOLEAN,
    "or": BOOLEAN,
    "not": BOOLEAN,
    "chained comparison": BOOLEAN,
}


def _applies(frame: Frame) -> bool:
    return (frame.is_traced or frame.role == "functional") and not frame.gates


def _sure(frame: Frame, value: Value) -> bool:
    """In a functional model a tensor is the placeholder; elsewhere what is given, or a variable."""
    if frame.role == "functional":
        return value.is_tensor and value.symbolic
    return value.acts_as_tensor


@on(Test)
def check_test(event: Test, report: Report) -> None:
    """Truth tests."""
    if _applies(event.frame) and _sure(event.frame, event.value):
        # A default that a parameter without a value has is asked for with `is None`.
        report(
            _BY_WORD[event.what], event.frame, event.node, f"{_article(event.what)} tests a tensor"
        )


def _article(what: str) -> str:
    return f"'{what}'" if what.isalpha() else f"a {what}"


@on(Iterate)
def check_iteration(event: Iterate, report: Report) -> None:
    """Loops over a tensor."""
    if _applies(event.frame) and _sure(event.frame, event.value):
        report(FOR, event.frame, event.node, "a Python loop runs over a tensor")


@on(Call)
def check_builtin(event: Call, report: Report) -> None:
    """Python's conversions and reductions."""
    frame = event.frame
    if not event.name.startswith("builtins.") or not _applies(frame) or not event.args:
        return
    name = event.name.removeprefix("builtins.")
    sure = any(_sure(frame, each) for each in event.args)
    if name in ("bool", "int", "float", "complex", "len") and sure:
        what = "is not defined for tensors of a graph on TensorFlow"
        message = what if name == "len" else "needs the value of a tensor"
        report(CONVERT, frame, event.node, f"{name}() {message}")
    elif name == "range" and sure:
        report(FOR, frame, event.node, "range() needs the value of a tensor")
    elif name == "range" and any(_is_dynamic(each) for each in event.args) and _traces_batch(event):
        report(FOR, frame, event.node, "range() over the batch size, a tensor on TensorFlow")
    elif name in ("max", "min", "sum", "any", "all", "sorted", "round") and sure:
        if name in ("max", "min") and event.keywords.keys() & {"key", "default"}:
            return
        report(BUILTIN, frame, event.node, f"Python's {name}() is called on a tensor")


def _is_dynamic(value: Value) -> bool:
    return value.kind is Kind.SIZE and value.batch


def _traces_batch(event: Call) -> bool:
    return isinstance(event.node, ast.Call) and event.frame.is_traced
