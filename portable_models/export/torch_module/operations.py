"""``keras.ops`` operations as PyTorch expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from portable_models.export.errors import RefusedError
from portable_models.export.torch_module.graph import Step, tensors_in
from portable_models.export.torch_module.rendering import literal, subscript

# {0}, {1}: the tensors it is called with; {axis} and the like: attributes of the operation.
_TEMPLATES = {
    "Add": "{0} + {1}",
    "Subtract": "{0} - {1}",
    "Multiply": "{0} * {1}",
    "Divide": "{0} / {1}",
    "TrueDivide": "{0} / {1}",
    "Power": "{0} ** {1}",
    "Mod": "torch.remainder({0}, {1})",
    "FloorDivide": "{0} // {1}",
    "Negative": "-{0}",
    "Equal": "{0} == {1}",
    "NotEqual": "{0} != {1}",
    "Greater": "{0} > {1}",
    "GreaterEqual": "{0} >= {1}",
    "Less": "{0} < {1}",
    "LessEqual": "{0} <= {1}",
    "LogicalNot": "torch.logical_not({0})",
    "LogicalAnd": "torch.logical_and({0}, {1})",
    "LogicalOr": "torch.logical_or({0}, {1})",
    "LogicalXor": "torch.logical_xor({0}, {1})",
    "Maximum": "torch.maximum(amount({0}, {1}), amount({1}, {0}))",
    "Minimum": "torch.minimum(amount({0}, {1}), amount({1}, {0}))",
    "Where": "torch.where({0}, {1}, {2})",
    "Matmul": "torch.matmul({0}, {1})",
    "Dot": "tensor_dot({0}, {1})",
    "Clip": "torch.clamp({0}, {x_min}, {x_max})",
    "Mean": "torch.mean({0}, dim={axis}, keepdim={keepdims})",
    "Sum": "torch.sum({0}, dim={axis}, keepdim={keepdims})",
    "Max": "torch.amax({0}, dim={axes}, keepdim={keepdims})",
    "Min": "torch.amin({0}, dim={axes}, keepdim={keepdims})",
    "Amax": "torch.amax({0}, dim={axes}, keepdim={keepdims})",
    "Amin": "torch.amin({0}, dim={axes}, keepdim={keepdims})",
    "Any": "torch.any({0}, dim={axis}, keepdim={keepdims})",
    "All": "torch.all({0}, dim={axis}, keepdim={keepdims})",
    "Var": "torch.var({0}, dim={axis}, keepdim={keepdims}, correction=0)",
    "Std": "torch.std({0}, dim={axis}, keepdim={keepdims}, correction=0)",
    "Logsumexp": "torch.logsumexp({0}, dim={axes}, keepdim={keepdims})",
    "Argmax": "torch.argmax({0}, dim={axis}, keepdim={keepdims})",
    "Argmin": "torch.argmin({0}, dim={axis}, keepdim={keepdims})",
    "Cumsum": "torch.cumsum({0}, dim={axis})",
    "Cumprod": "torch.cumprod({0}, dim={axis})",
    "Flip": "torch.flip({0}, dims={flat_axes})",
    "Reshape": "torch.reshape({0}, {newshape})",
    "Ravel": "torch.flatten({0})",
    "Transpose": "{0}.permute({permutation})",
    "Swapaxes": "torch.swapaxes({0}, {axis1}, {axis2})",
    "Moveaxis": "torch.movedim({0}, {source}, {destination})",
    "ExpandDims": "{0}.unsqueeze({axis})",
    "Squeeze": "{0}.squeeze({axis})",
    "BroadcastTo": "torch.broadcast_to({0}, {shape})",
    "Concatenate": "torch.cat({0}, dim={axis})",
    "Stack": "torch.stack({0}, dim={axis})",
    "Split": "split({0}, {indices_or_sections}, {axis})",
    "Unstack": "torch.unbind({0}, dim={axis})",
    "Repeat": "torch.repeat_interleave({0}, {repeats}, dim={axis})",
    "Tile": "torch.tile({0}, {repeats})",
    "Take": "take({0}, {1}, {axis})",
    "TakeAlongAxis": "torch.take_along_dim({0}, {1}.long(), dim={axis})",
    "Tril": "torch.tril({0}, {k})",
    "Triu": "torch.triu({0}, {k})",
    "Roll": "torch.roll({0}, {shift}, dims={axis})",
    "Pad": "pad({0}, {pad_width}, {mode}{constant})",
    "ZerosLike": "torch.zeros_like({0})",
    "OnesLike": "torch.ones_like({0})",
    "StopGradient": "{0}.detach()",
    "Copy": "{0}.clone()",
    "Absolute": "torch.abs({0})",
    "Abs": "torch.abs({0})",
    "Square": "torch.square({0})",
    "Reciprocal": "torch.reciprocal({0})",
    "Normalize": "unit({0}, {axis}, {epsilon})",
    "OneHot": "one_hot({0}, {num_classes}, {axis}, {dtype})",
    "Relu": "functional.relu({0})",
    "Sigmoid": "torch.sigmoid({0})",
    "Relu6": "relu6({0})",
    "SparseSigmoid": "sparse_sigmoid({0})",
    "Softplus": "softplus({0})",
    "Softsign": "softsign({0})",
    "SoftShrink": "soft_shrink({0}, {threshold})",
    "SparsePlus": "sparse_plus({0})",
    "Silu": "silu({0})",
    "Squareplus": "squareplus({0}, {b})",
    "LogSigmoid": "log_sigmoid({0})",
    "LeakyRelu": "leaky_relu({0}, {negative_slope})",
    "HardSigmoid": "hard_sigmoid({0})",
    "HardSilu": "hard_silu({0})",
    "Elu": "elu({0}, {alpha})",
    "Selu": "selu({0})",
    "Gelu": "gelu({0}, {approximate})",
    "Celu": "celu({0}, {alpha})",
    "Glu": "glu({0}, {axis})",
    "TanhShrink": "tanh_shrink({0})",
    "HardTanh": "hard_tanh({0})",
    "HardShrink": "hard_shrink({0}, {threshold})",
    "Threshold": "threshold({0}, {threshold}, {default_value})",
    "Softmax": "softmax({0}, {axis})",
    "LogSoftmax": "log_softmax({0}, {axis})",
    "Sparsemax": "sparsemax({0}, {axis})",
    "ReLU": "relu({0}, {negative_slope}, {max_value}, {threshold})",
    "Mish": "mish({0})",
    **{
        name: f"torch.{function}({{0}})"
        for name, function in {
            **{each.title(): each for each in ("exp", "expm1", "log", "log1p", "log2", "log10")},
            **{
                each.title(): each
                for each in ("sqrt", "rsqrt", "sin", "cos", "tan", "tanh", "sinh")
            },
            **{each.title(): each for each in ("cosh", "erf", "floor", "ceil", "trunc", "sign")},
            **{
                f"Arc{each}": f"arc{each}" for each in ("sin", "cos", "tan", "sinh", "cosh", "tanh")
            },
            "Isnan": "isnan",
            "Isinf": "isinf",
            "Isfinite": "isfinite",
        }.items()
    },
}


def expression(step: Step, names: Any) -> str | None:
    """The step as an expression, or None if there is no translation.

    Args:
        step: a call of a ``keras.ops`` operation.
        names: an object whose ``render(value)`` gives the expression of an argument and whose
            ``dtype(name)`` gives that of a Keras dtype.

    Raises:
        RefusedError: this use of the operation has no translation.
    """
    operation, kind = step.operation, type(step.operation).__name__
    if not type(operation).__module__.startswith("keras."):
        return None
    arguments = [*step.args, *step.kwargs.values()]
    rendered = [names.render(value) for value in arguments]
    output = step.outputs[0]
    if kind in ("Cast", "SaturateCast", "ConvertToTensor"):
        return f"{rendered[0]}.to({names.dtype(output.dtype)})"
    if kind == "GetItem":
        return f"{rendered[0]}[{subscript(arguments[1], names.render)}]"
    if kind == "Einsum":
        return f"torch.einsum({literal(operation.subscripts)}, {', '.join(rendered)})"
    template = _TEMPLATES.get(kind)
    if template is None:
        return None
    attributes = _attributes(step, names)
    made = template.format(*rendered, **attributes)
    return _with_dtype(made, step, arguments, names)


def _attributes(step: Step, names: Any) -> dict[str, str]:
    """The operation's attributes as literals, and what some templates derive from them."""
    operation = step.operation
    plain = (type(None), bool, int, float, str, tuple, list)
    found = {
        name: literal(value, names.render)
        for name, value in vars(operation).items()
        if isinstance(value, plain) and not name.startswith("_")
    }
    axis = getattr(operation, "axis", None)
    rank = len(tensors_in((step.args, step.kwargs))[0].shape)
    found["axes"] = "()" if axis is None else literal(axis)
    axes = range(rank) if axis is None else axis
    found["flat_axes"] = literal([axes] if isinstance(axes, int) else list(axes))
    order = getattr(operation, "axes", None) or tuple(reversed(range(rank)))
    found["permutation"] = literal(tuple(order)) if not isinstance(order, int) else literal(order)
    if isinstance(operation, keras.Operation) and hasattr(operation, "newshape"):
        found["newshape"] = literal(_target_shape(operation.newshape))
    if type(operation).__name__ == "Normalize" and operation.order != 2:
        raise RefusedError(f"keras.ops.normalize of order {operation.order} is not carried")
    if type(operation).__name__ == "OneHot":
        found["dtype"] = names.dtype(step.outputs[0].dtype)
    fill = [*step.args, *step.kwargs.values()][1:] if type(operation).__name__ == "Pad" else []
    found["constant"] = "".join(f", {names.render(v)}" for v in fill if v is not None)
    return found


def _target_shape(shape: Any) -> tuple[int, ...]:
    lengths = tuple(-1 if length is None else length for length in shape)
    if lengths.count(-1) > 1:
        raise RefusedError(f"keras.ops.reshape to {shape} has more than one unknown length")
    return lengths


def _with_dtype(made: str, step: Step, arguments: Sequence[Any], names: Any) -> str:
    """The expression, cast where Keras and PyTorch may disagree on the dtype of its value."""
    kind, output = type(step.operation).__name__, step.outputs[0]
    kinds = {keras.backend.is_float_dtype(t.dtype) for t in tensors_in(list(arguments))}
    if kinds == {True} and keras.backend.is_float_dtype(output.dtype):
        return made
    if output.dtype == "bool" or len(step.outputs) > 1 or kind in ("OneHot", "StopGradient"):
        return made
    return f"({made}).to({names.dtype(output.dtype)})"
