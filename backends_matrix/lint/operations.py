"""What the functions and layers of Keras give, as far as the reading needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backends_matrix.lint.values import Kind, Value, other, result_of, tensor

LISTS = frozenset(
    {"split", "array_split", "unstack", "meshgrid", "nonzero", "top_k", "moments", "qr", "svd"}
    | {"eig", "eigh", "slogdet", "lu_factor", "histogram", "in_top_k", "rfft", "fft", "stft"}
)
PLAIN = frozenset({"ndim", "is_tensor", "dtype", "size", "result_type", "broadcast_shapes"})
BOOLEAN = frozenset(
    {"equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "isnan", "isinf"}
    | {
        "isfinite",
        "isclose",
        "logical_and",
        "logical_or",
        "logical_not",
        "logical_xor",
        "any",
        "all",
    }
    | {"in_top_k", "isin", "signbit"}
)
INTEGER = frozenset({"argmax", "argmin", "argsort", "searchsorted", "count_nonzero", "digitize"})
REDUCING = frozenset(
    {"sum", "mean", "max", "min", "prod", "std", "var", "any", "all", "amax", "amin", "logsumexp"}
    | {"median", "quantile", "average", "argmax", "argmin", "count_nonzero", "norm"}
)
MOVING = frozenset(
    {"reshape", "transpose", "moveaxis", "swapaxes", "expand_dims", "concatenate", "stack", "ravel"}
    | {
        "squeeze",
        "take",
        "tile",
        "repeat",
        "vstack",
        "hstack",
        "matmul",
        "dot",
        "einsum",
        "scatter",
    }
    | {"zeros", "ones", "full", "arange", "eye", "linspace", "one_hot", "broadcast_to", "append"}
    | {"outer", "tensordot", "slice", "diag", "tri", "convert_to_tensor", "array", "gather", "pad"}
    | {"segment_sum", "segment_max", "bincount", "roll", "flip", "rot90", "normal", "uniform"}
)
CALLBACKS = frozenset(
    {
        "cond",
        "while_loop",
        "fori_loop",
        "scan",
        "map",
        "vectorized_map",
        "switch",
        "associative_scan",
    }
    | {"custom_gradient"}
)
_SEVERAL = frozenset({"return_state", "return_attention_scores", "return_sequences_and_state"})


def call_operation(name: str, args: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """What a function of ``keras.ops`` gives; ``name`` is its last part."""
    first = args[0] if args else next(iter(keywords.values()), other())
    if name == "shape":
        return Value(Kind.SIZES, batch=first.batch)
    if name == "convert_to_numpy":
        return Value(Kind.NUMPY)
    if name in PLAIN:
        return other()
    if name == "convert_to_tensor" and first.kind in (Kind.MAYBE, Kind.OTHER):
        return first.copy(parameter="") if first.kind is Kind.MAYBE else tensor()
    if name in LISTS:
        return Value(Kind.TENSORS)
    if name in CALLBACKS:
        return Value(Kind.NESTED, weak=True)
    symbolic = any(each.symbolic for each in args)
    return tensor(_keeps_batch(name, first, args, keywords), _dtype(name, args, keywords), symbolic)


def _keeps_batch(
    name: str, first: Value, args: Sequence[Value], keywords: Mapping[str, Value]
) -> bool:
    if name in REDUCING:
        axis = keywords.get("axis") or (args[1] if len(args) > 1 else None)
        axes = axis.items if axis is not None and axis.items else (axis,)
        kept = all(each is not None and each.literal not in (None, 0) for each in axes)
        return first.batch and kept
    if name in MOVING:
        return name == "convert_to_tensor" and first.batch
    return first.batch


def _dtype(name: str, args: Sequence[Value], keywords: Mapping[str, Value]) -> str:
    if name in BOOLEAN:
        return "bool"
    if name in INTEGER:
        return "int"
    asked = keywords.get("dtype") or (args[1] if name == "cast" and len(args) > 1 else None)
    text = asked.literal if asked is not None and isinstance(asked.literal, str) else ""
    if text.startswith(("int", "uint")):
        return "int"
    return "float" if text.startswith(("float", "bfloat")) else "bool" if text == "bool" else ""


def call_layer(layer: Value, args: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """What a layer gives."""
    given = [*args, *keywords.values()]
    symbolic = any(each.symbolic for each in given)
    batch = bool(args) and args[0].batch
    if layer.name.startswith("keras.") and not _SEVERAL & {*keywords, *layer.literal_set}:
        return tensor(batch, symbolic=symbolic)
    if any(each.holds_tensors for each in given):
        return Value(Kind.NESTED, batch=batch, symbolic=symbolic, weak=True)
    return result_of(given)


STATELESS = frozenset(
    {
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Concatenate",
        "Dot",
        "Activation",
    }
    | {
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Softmax",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Lambda",
    }
    | {
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "UpSampling1D",
        "UpSampling2D",
        "UpSampling3D",
        "Resizing",
    }
    | {
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
        "Rescaling",
        "CenterCrop",
        "Masking",
        "Identity",
    }
    | {f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)}
    | {f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)}
    | {"ActivityRegularization", "UnitNormalization", "Layer", "InputSpec", "Input", "InputLayer"}
    | {"CategoryEncoding", "Hashing", "HashedCrossing", "Normalization", "TFSMLayer"}
)
"""Layers without weights or state; making one in ``call`` costs time and nothing else."""
