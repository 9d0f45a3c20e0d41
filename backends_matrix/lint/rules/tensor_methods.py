"""PK1, second part: methods of one framework's tensors, and its variables in Keras objects."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call, SetMember
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import framework_of
from backends_matrix.lint.rule import Report, Rule, define, on
from backends_matrix.lint.rules.frameworks import GRADIENT, holds_tensors, reaches_tensors
from backends_matrix.lint.values import Kind, Value

LEAVES = define(
    Rule(
        "PK104",
        "leaves-framework",
        "frameworks",
        "A tensor is turned into a NumPy array or a Python number in compiled code.",
        "A tensor that is being compiled has no value yet. On PyTorch the result is cut off from "
        "the gradient.",
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
        "Tensors of the three frameworks share shape, dtype, ndim, indexing and arithmetic, and "
        "hardly a method.",
        "Use the function of keras.ops.",
        "AttributeError: 'SymbolicTensor' object has no attribute 'mean'",
    )
)


VARIABLE = define(
    Rule(
        "PK106",
        "framework-variable",
        "frameworks",
        "A variable, tensor, parameter or module of one framework is stored in a Keras object.",
        "Keras neither trains nor saves it on the other backends, and on JAX it cannot be used in a compiled "
        "step.",
        "Use self.add_weight(...), keras.Variable or a Keras layer.",
        "AttributeError: 'str' object has no attribute '_error_repr' (JAX)",
    )
)


_LEAVING = {"numpy", "item", "tolist", "detach", "cpu", "cuda"}


_METHODS = {
    *{
        "mean",
        "sum",
        "max",
        "min",
        "reshape",
        "astype",
        "view",
        "permute",
        "unsqueeze",
        "squeeze",
        "argmax",
    },
    *{
        "transpose",
        "clone",
        "float",
        "long",
        "int",
        "double",
        "half",
        "contiguous",
        "expand",
        "repeat",
    },
    *{
        "flatten",
        "dim",
        "size",
        "get_shape",
        "set_shape",
        "clamp",
        "type",
        "std",
        "var",
        "prod",
        "any",
    },
    *{
        "all",
        "abs",
        "exp",
        "log",
        "sqrt",
        "pow",
        "matmul",
        "mm",
        "bmm",
        "masked_fill",
        "requires_grad_",
    },
    *{
        "add_",
        "mul_",
        "zero_",
        "fill_",
        "copy_",
        "argmin",
        "argsort",
        "cumsum",
        "dot",
        "ravel",
        "round",
    },
    *{
        "swapaxes",
        "to",
        "norm",
        "softmax",
        "sigmoid",
        "relu",
        "tanh",
        "clip",
        "index_select",
        "scatter",
    },
    *{
        "chunk",
        "split",
        "unbind",
        "flip",
        "sort",
        "topk",
        "eq",
        "gt",
        "lt",
        "ge",
        "le",
        "ne",
        "take",
    },
}


_STORED = {
    "tensorflow.Variable",
    "torch.nn.Parameter",
    "torch.nn.parameter.Parameter",
    "tensorflow.Module",
}


_NOT_OF_LISTS = _METHODS - {*dir(list), *dir(dict), *dir(tuple)}


def _is_method_of_tensor(receiver: Value, method: str) -> bool:
    """Whether it is a tensor's method; what may be a list of tensors has other methods."""
    whole = receiver.kind is Kind.NESTED and not receiver.weak
    return receiver.is_tensor or (whole and method in _NOT_OF_LISTS)


_MAKING = {"zeros", "ones", "eye", "linspace", "full"}
_STORED |= {f"tensorflow.{name}" for name in {*_MAKING, "constant", "convert_to_tensor", "range"}}
_STORED |= {f"torch.{name}" for name in {*_MAKING, "tensor", "arange", "from_numpy", "as_tensor"}}
_STORED |= {f"jax.numpy.{name}" for name in {*_MAKING, "array", "asarray", "arange"}}


@on(Call)
def check_method(event: Call, report: Report) -> None:
    """Methods of tensors."""
    frame, receiver, method = event.frame, event.receiver, event.method
    if event.name == "keras.ops.convert_to_numpy" and frame.is_traced and not frame.gates:
        # convert_to_numpy(convert_to_tensor(x)) is for what comes as a list or array.
        inner = event.node.args[0] if event.node.args else None
        converts = isinstance(inner, ast.Call) and dotted(inner.func).endswith("convert_to_tensor")
        if event.args and event.args[0].acts_as_tensor and not converts:
            report(
                LEAVES,
                frame,
                event.node,
                "convert_to_numpy needs a value, and compiled code has none",
            )
        return
    builds = frame.role == "build" and method == "as_list"
    if receiver is None or frame.gates or not (reaches_tensors(frame) or builds):
        return
    if method == "backward" and frame.role == "step":
        if receiver.is_tainted or (
            receiver.kind is Kind.OTHER and "loss" in dotted(event.node.func)
        ):
            report(GRADIENT, frame, event.node, "backward() computes gradients for torch alone")
    elif method in _LEAVING and frame.role != "functional":
        sure = receiver.kind in (Kind.TENSOR, Kind.FRAMEWORK) or (
            receiver.kind is Kind.NESTED and not receiver.weak
        )
        if sure or (receiver.kind is Kind.VARIABLE and frame.is_traced):
            report(
                LEAVES, frame, event.node, f".{method}() needs a value, and compiled code has none"
            )
    elif (
        method in _METHODS
        and _is_method_of_tensor(receiver, method)
        and holds_tensors(frame, receiver)
    ):
        report(METHOD, frame, event.node, f".{method}() is not a method of every backend's tensors")
    elif method == "as_list" and receiver.kind is Kind.SHAPE:
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
    stored = (value.name in _STORED or module) and "functional" not in value.name
    if stored and frame.role in ("init", "build", "call") and not frame.allows(backend):
        message = (
            f"self.{event.node.attr} holds a {value.name}, which Keras tracks on {backend} alone"
        )
        report(VARIABLE, frame, event.node, message)
