"""PK1: functions, methods and gradients of one framework, and NumPy, on a tensor."""

from __future__ import annotations

import ast

from backends_matrix.lint.equivalents import keras_call
from backends_matrix.lint.events import Call, SetMember
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import framework_of, is_numpy
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
LEAVES = define(
    Rule(
        "PK104",
        "leaves-framework",
        "frameworks",
        "A tensor is turned into a NumPy array or a Python number in compiled code.",
        "A tensor that is being compiled has no value yet. On PyTorch the result is cut off from the gradient.",
        "Stay with tensors and keras.ops; use keras.ops.stop_gradient to cut the gradient.",
        "AttributeError: 'DynamicJaxprTracer' object has no attribute 'numpy'; 'SymbolicTensor' object has "
        "no attribute 'numpy'",
    )
)
METHOD = define(
    Rule(
        "PK105",
        "tensor-method",
        "frameworks",
        "A method is called on a tensor that the tensors of other backends do not have.",
        "Tensors of the three frameworks share shape, dtype, ndim, indexing and arithmetic, and hardly a method.",
        "Use the function of keras.ops.",
        "AttributeError: 'SymbolicTensor' object has no attribute 'mean'",
    )
)
VARIABLE = define(
    Rule(
        "PK106",
        "framework-variable",
        "frameworks",
        "A variable, parameter or module of one framework is stored in a Keras object.",
        "Keras neither trains nor saves it on the other backends, and on JAX it cannot be used in a compiled "
        "step.",
        "Use self.add_weight(...), keras.Variable or a Keras layer.",
        "AttributeError: 'str' object has no attribute '_error_repr' (JAX)",
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
_LEAVING = {"numpy", "item", "tolist", "detach", "cpu", "cuda"}
_METHODS = {
    *{"mean", "sum", "max", "min", "reshape", "astype", "view", "permute", "unsqueeze", "squeeze", "argmax"},
    *{"transpose", "clone", "float", "long", "int", "double", "half", "contiguous", "expand", "repeat"},
    *{"flatten", "dim", "size", "get_shape", "set_shape", "clamp", "type", "std", "var", "prod", "any"},
    *{"all", "abs", "exp", "log", "sqrt", "pow", "matmul", "mm", "bmm", "masked_fill", "requires_grad_"},
    *{"add_", "mul_", "zero_", "fill_", "copy_", "argmin", "argsort", "cumsum", "dot", "ravel", "round"},
    *{"swapaxes", "to", "norm", "softmax", "sigmoid", "relu", "tanh", "clip", "index_select", "scatter"},
    *{"chunk", "split", "unbind", "flip", "sort", "topk", "eq", "gt", "lt", "ge", "le", "ne", "take"},
}
_STORED = {
    "tensorflow.Variable",
    "torch.nn.Parameter",
    "torch.nn.parameter.Parameter",
    "tensorflow.Module",
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
        if any(_holds(frame, each) for each in event.values) and _reaches_tensors(frame):
            fix = keras_call(frame.module, event.node, name)
            report(
                NUMPY_CALL,
                frame,
                event.node,
                f"{source(frame.module, event.node.func)} is called on a tensor",
                fix=fix,
            )
    elif name.startswith("math.") and not frame.gates and _reaches_tensors(frame):
        if any(each.is_tensor and _holds(frame, each) for each in event.values):
            fix = keras_call(frame.module, event.node, name)
            report(MATH_CALL, frame, event.node, f"{name} is called on a tensor", fix=fix)
    elif name == "keras.ops.convert_to_numpy" and frame.is_traced and not frame.gates:
        if event.args and event.args[0].acts_as_tensor:
            report(LEAVES, frame, event.node, "convert_to_numpy needs a value, and compiled code has none")


def _holds(frame: Frame, value: Value) -> bool:
    """Whether a value holds tensors without values: in code that builds a model, placeholders alone do."""
    if frame.role != "functional":
        return value.holds_tensors
    return value.symbolic or any(_holds(frame, each) for each in value.items)


def _reaches_tensors(frame: Frame) -> bool:
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
    takes = any(_holds(frame, each) for each in event.values)
    if frame.role in ("functional", "shape"):
        wanted = takes
    else:
        wanted = frame.is_traced
    if wanted:
        report(
            FRAMEWORK_CALL,
            frame,
            event.node,
            f"{source(frame.module, event.node.func)} is a function of {backend} alone",
            fix=keras_call(frame.module, event.node, name),
        )


@on(Call)
def check_method(event: Call, report: Report) -> None:
    """Methods of tensors."""
    frame, receiver, method = event.frame, event.receiver, event.method
    if receiver is None or frame.gates or not _reaches_tensors(frame):
        return
    if method == "backward" and frame.role == "step":
        if receiver.is_tainted or receiver.kind is Kind.OTHER and "loss" in dotted(event.node.func):
            report(GRADIENT, frame, event.node, "backward() computes gradients for torch alone")
    elif method in _LEAVING and frame.role != "functional":
        sure = receiver.kind in (Kind.TENSOR, Kind.FRAMEWORK) or (
            receiver.kind is Kind.NESTED and not receiver.weak
        )
        if sure or (receiver.kind is Kind.VARIABLE and frame.is_traced):
            report(LEAVES, frame, event.node, f".{method}() needs a value, and compiled code has none")
    elif method in _METHODS and receiver.is_tensor and _holds(frame, receiver):
        report(METHOD, frame, event.node, f".{method}() is not a method of every backend's tensors")
    elif method == "as_list" and receiver.kind is Kind.SHAPE and frame.is_traced:
        report(METHOD, frame, event.node, ".as_list() is a method of TensorFlow's shapes alone")


@on(SetMember)
def check_stored(event: SetMember, report: Report) -> None:
    """Variables and modules of a framework in attributes of a Keras object."""
    value, frame = event.value, event.frame
    if event.base.kind is not Kind.SELF or value.kind is not Kind.FRAMEWORK:
        return
    backend = framework_of(value.name)
    last = value.name.rpartition(".")[2]
    module = value.name.startswith(("torch.nn.", "flax.")) and last[:1].isupper()
    if (value.name in _STORED or module) and frame.role in ("init", "build", "call"):
        if not frame.allows(backend) and "functional" not in value.name:
            report(
                VARIABLE,
                frame,
                _statement_of(event.node),
                f"self.{event.node.attr} holds a {value.name}, which Keras tracks on {backend} alone",
            )


def _statement_of(node: ast.Attribute) -> ast.AST:
    return node
