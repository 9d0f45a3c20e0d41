"""PK1: functions, methods and gradients of one framework, and NumPy, on a tensor."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call, MethodRead
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import framework_of, is_numpy
from backends_matrix.lint.replacements import keras_call
from backends_matrix.lint.rule import Report, Rule, define, on, source
from backends_matrix.lint.values import Kind, Value

FRAMEWORK_CALL = define(
    Rule(
        "PK101",
        "framework-call",
        "frameworks",
        "A function of TensorFlow, JAX or PyTorch is called in code that Keras runs on every backend.",
        "The function does not take the tensors of the other two backends, and does not exist where its "
        "framework is not installed. On JAX a compiled model raises, and in a functional model already the "
        "symbolic call does.",
        "Use keras.ops, or put the call under a condition on keras.backend.backend().",
        "AttributeError: 'str' object has no attribute '_error_repr' (JAX); ValueError: A KerasTensor cannot "
        "be used as input to a TensorFlow function",
    )
)
NUMPY_CALL = define(
    Rule(
        "PK102",
        "numpy-call",
        "frameworks",
        "A NumPy or SciPy function is called on a tensor.",
        "JAX and TensorFlow cannot turn a tensor that is being compiled into an array. On PyTorch the "
        "gradient is lost, or NumPy refuses a tensor that requires one.",
        "Use the function of the same name in keras.ops.",
        "TracerArrayConversionError (JAX); NotImplementedError: Cannot convert a symbolic tf.Tensor to a "
        "numpy array; RuntimeError: Can't call numpy() on Tensor that requires grad",
    )
)
MATH_CALL = define(
    Rule(
        "PK103",
        "math-call",
        "frameworks",
        "A function of Python's math module is called on a tensor.",
        "It asks for a Python number, which a tensor that is being compiled does not have.",
        "Use the function of the same name in keras.ops.",
        "ConcretizationTypeError (JAX); TypeError: must be real number, not SymbolicTensor (TensorFlow)",
    )
)
GRADIENT = define(
    Rule(
        "PK107",
        "framework-gradient",
        "frameworks",
        "A train step computes gradients with one framework and does not ask which backend runs.",
        "GradientTape works on TensorFlow alone, backward() on PyTorch alone and jax.grad on JAX alone; the "
        "signature of train_step differs on JAX as well.",
        "Override compute_loss, or branch on keras.backend.backend() with one step for each backend.",
        "TypeError: train_step() takes 2 positional arguments but 3 were given (JAX)",
    )
)

_HARMLESS = {
    "tensorflow.function",
    "tensorflow.summary.scalar",
    "tensorflow.summary.histogram",
    "tensorflow.executing_eagerly",
    "tensorflow.is_tensor",
    "tensorflow.name_scope",
    "jax.named_scope",
    "jax.debug.print",
    "torch.is_tensor",
    "torch.no_grad",
}
_GRADIENTS = {
    "tensorflow.GradientTape",
    "jax.grad",
    "jax.value_and_grad",
    "jax.vjp",
    "torch.autograd.grad",
}


def _uses_numpy_random(name: str) -> bool:
    return name.startswith("numpy.random.")


@on(Call)
def check_function(event: Call, report: Report) -> None:
    """Functions of frameworks, NumPy and math."""
    name, frame = event.name, event.frame
    backend = framework_of(name) if name else ""
    if backend and not frame.allows(backend):
        _check_framework(event, backend, report)
    elif name and is_numpy(name) and not _uses_numpy_random(name) and not frame.gates:
        if any(holds_tensors(frame, each) for each in event.values) and reaches_tensors(frame):
            fix = keras_call(frame.module, event.node, name, event.args)
            report(
                NUMPY_CALL,
                frame,
                event.node,
                f"{source(frame.module, event.node.func)} is called on a tensor",
                fix=fix,
            )
    elif (
        name.startswith("math.")
        and not frame.gates
        and reaches_tensors(frame)
        and any(each.acts_as_tensor and holds_tensors(frame, each) for each in event.values)
    ):
        fix = keras_call(frame.module, event.node, name, event.args)
        report(MATH_CALL, frame, event.node, f"{name} is called on a tensor", fix=fix)


_COMPILING = (
    "tensorflow.function",
    "jax.jit",
    "torch.compile",
    "torch.jit.script",
    "jax.checkpoint",
)


@on(MethodRead)
def check_decorators(event: MethodRead, report: Report) -> None:
    """``@tf.function`` and the like on methods that Keras compiles itself."""
    frame = event.frame
    if not frame.is_traced or frame.gates:
        return
    for decorator in event.node.decorator_list:
        named = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        head = named.partition(".")[0]
        imports = frame.module.imports
        full = named.replace(head, imports[head], 1) if head in imports else ""
        if full in _COMPILING:
            message = f"{named} compiles for {framework_of(full)} alone; Keras compiles by itself"
            report(FRAMEWORK_CALL, frame, decorator, message, hint="Leave it out.")


def holds_tensors(frame: Frame, value: Value) -> bool:
    """Whether a value holds tensors without values: in code that builds a model, placeholders alone do."""
    if frame.role != "functional":
        return value.holds_tensors or (frame.is_traced and value.kind is Kind.VARIABLE)
    return value.symbolic or any(holds_tensors(frame, each) for each in value.items)


def reaches_tensors(frame: Frame) -> bool:
    """Whether the code works on the tensors of a model, when it is called or built."""
    return frame.is_traced or frame.role in ("functional", "shape")


def _check_framework(event: Call, backend: str, report: Report) -> None:
    frame, name = event.frame, event.name
    if name in _GRADIENTS:
        if frame.role == "step":
            report(GRADIENT, frame, event.node, f"{name} computes gradients for {backend} alone")
        elif frame.is_traced:
            report(FRAMEWORK_CALL, frame, event.node, f"{name} is a function of {backend} alone")
        return
    if name in _HARMLESS or name.startswith("tensorflow.debugging"):
        return
    takes = any(holds_tensors(frame, each) for each in event.values)
    if takes if frame.role in ("functional", "shape") else frame.is_traced:
        report(
            FRAMEWORK_CALL,
            frame,
            event.node,
            f"{source(frame.module, event.node.func)} is a function of {backend} alone",
            fix=keras_call(frame.module, event.node, name, event.args),
        )
