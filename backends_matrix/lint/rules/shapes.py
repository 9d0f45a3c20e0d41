"""PK5: sizes that are not known while compiling, dtypes that a backend lacks, and indexing."""

from __future__ import annotations

import ast

from backends_matrix.lint.calls import ADDING
from backends_matrix.lint.events import Binary, Call, Index
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.overflow import may_overflow
from backends_matrix.lint.rule import Report, Rule, define, on, ops_alias, replace, source
from backends_matrix.lint.values import Kind, Value

BATCH = define(
    Rule(
        "PK501",
        "static-batch-size",
        "shapes",
        "x.shape[0], or x.shape as a whole, gives a size in call.",
        "In fit and predict TensorFlow compiles for any batch size, and the size in x.shape is None. JAX and "
        "PyTorch know it.",
        "Use keras.ops.shape(x)[0], or -1 in reshape.",
        "ValueError: None values not supported; TypeError: unsupported operand type(s) for *: "
        "'NoneType' and 'int'",
    )
)
DATA = define(
    Rule(
        "PK502",
        "data-dependent-shape",
        "shapes",
        "The shape of a result depends on the values of a tensor.",
        "JAX compiles for fixed shapes and cannot know the size.",
        "Keep the shape: use keras.ops.where with three arguments, multiply by a mask, or take a "
        "fixed number with keras.ops.top_k. Give sizes as numbers of Python, as x.shape[1] and "
        "keras.ops.shape(x)[0] are on JAX.",
        "ConcretizationTypeError: The size argument of jnp.nonzero must be statically specified; "
        "NonConcreteBooleanIndexError; Shapes must be 1D sequences of concrete values (JAX)",
    )
)
WIDE = define(
    Rule(
        "PK503",
        "sixty-four-bit",
        "shapes",
        "float64 is asked for in a model, or int64 for what 32 bits may not hold.",
        "JAX gives 32 bits, with a warning: float64 loses its precision and int64 overflows past 2**31.",
        "Use 32 bits in models, and compute what needs more outside with NumPy.",
        "UserWarning: Explicitly requested dtype float64 is not available (JAX)",
    )
)
SIZE = define(
    Rule(
        "PK504",
        "size-in-arithmetic",
        "shapes",
        "A batch size from keras.ops.shape meets a tensor in arithmetic.",
        "While TensorFlow compiles for any batch size, that size is an int32 tensor, which does not combine "
        "with a float.",
        "Cast it: keras.ops.cast(keras.ops.shape(x)[0], x.dtype).",
        "TypeError: Input 'y' of 'RealDiv' Op has type int32 that does not match type float32 (TensorFlow)",
    )
)
STEP = define(
    Rule(
        "PK505",
        "negative-step",
        "shapes",
        "A tensor is sliced with a negative step.",
        "PyTorch does not support it.",
        "Use keras.ops.flip.",
        "ValueError: step must be greater than zero (PyTorch)",
    )
)
LIST = define(
    Rule(
        "PK506",
        "list-index",
        "shapes",
        "A tensor is indexed with a list or with another tensor.",
        "TensorFlow takes integers and slices only.",
        "Use keras.ops.take or keras.ops.take_along_axis.",
        "TypeError: Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
        "tf.int32/tf.int64 tensors are valid indices (TensorFlow)",
    )
)

_WIDE = {"float64", "int64", "uint64", "double"}
_FLOATX = {"keras.config.set_floatx", "keras.backend.set_floatx", "keras.config.set_dtype_policy"}
_SIZED = {
    *{
        "reshape",
        "zeros",
        "ones",
        "full",
        "broadcast_to",
        "arange",
        "tile",
        "repeat",
        "eye",
        "normal",
    },
    *{
        "uniform",
        "truncated_normal",
        "randint",
        "linspace",
        "fori_loop",
        "slice",
        "identity",
        "empty",
    },
}
_UNSIZED = {"nonzero", "argwhere", "unique", "boolean_mask"}


def _applies(frame: Frame) -> bool:
    return frame.is_traced and not frame.gates


def _static_batch(value: Value) -> bool:
    return value.kind is Kind.DIM and value.batch


def _static_size(value: Value) -> bool:
    """Whether it is the batch size, or a whole shape with it, as known before the step runs."""
    return value.kind in (Kind.DIM, Kind.SHAPE) and value.batch


@on(Call)
def check_wide(event: Call, report: Report) -> None:
    """64-bit weights, and float64 for a whole model."""
    frame, name = event.frame, event.name
    if frame.gates:
        return
    if event.method in ADDING or name in ("keras.Variable", "keras.backend.Variable"):
        value = event.keywords.get("dtype")
        if value is not None and _wide(value) in ("float64", "double"):
            report(WIDE, frame, event.node, f"{_wide(value)} is {_narrow(_wide(value))} on jax")
    elif name in _FLOATX:
        value = event.argument(0, "dtype")
        if value is not None and value.literal == "float64":
            report(WIDE, frame, event.node, "float64 is float32 on jax")


@on(Call)
def check_sizes(event: Call, report: Report) -> None:
    """Batch sizes as arguments of operations, and dtypes."""
    frame, name = event.frame, event.name
    if not _applies(frame):
        return
    place, _, last = name.rpartition(".")
    if place in ("keras.ops", "keras.random") and last in _SIZED and frame.role != "metric":
        for node, value in _sizes(event):
            if _static_size(value) and not _asks_for_none(frame, node):
                report(BATCH, frame, node, _unknown(frame, node), fix=_dynamic(frame, node))
    batches = [
        node
        for node, value in zip(event.node.args, event.args, strict=False)
        if _static_batch(value) and not _asks_for_none(frame, node)
    ]
    if name == "builtins.range" and batches:
        report(BATCH, frame, event.node, "the batch size is None on tensorflow here")
    if place == "keras.ops" and (
        last in _UNSIZED or (last == "where" and len(event.args) == 1 and not event.keywords)
    ):
        report(DATA, frame, event.node, f"the shape of {last}'s result depends on the values")
    if place.startswith("keras."):
        _check_dtype(event, report)


def _asks_for_none(frame: Frame, node: ast.expr) -> bool:
    """Whether the function asks if this size is None, and so knows that it may be."""
    text = source(frame.module, node)
    code = ast.unparse(frame.node) if frame.node is not None else ""
    return any(f"{text} {word} None" in code for word in ("is", "is not", "==", "!="))


def _unknown(frame: Frame, node: ast.expr) -> str:
    known = "begins with None" if source(frame.module, node).endswith(".shape") else "is None"
    return f"{source(frame.module, node)} {known} on tensorflow in fit and predict"


def _sizes(event: Call) -> list[tuple[ast.expr, Value]]:
    found: list[tuple[ast.expr, Value]] = []
    pairs = [
        *zip(event.node.args, event.args, strict=False),
        *((each.value, event.keywords[each.arg or "**"]) for each in event.node.keywords),
    ]
    for node, value in pairs:
        if value.kind is Kind.ITEMS and isinstance(node, ast.Tuple | ast.List):
            found += zip(node.elts, value.items, strict=False)
        else:
            found.append((node, value))
    return found


def _dynamic(frame: Frame, node: ast.expr) -> Fix | None:
    """``x.shape`` -> ``ops.shape(x)``, with the index that follows."""
    module = frame.module
    match node:
        case ast.Attribute(value=owner, attr="shape"):
            index = ""
        case ast.Subscript(value=ast.Attribute(value=owner, attr="shape"), slice=part):
            index = f"[{source(module, part)}]"
        case _:
            return None
    alias, imports = ops_alias(module)
    edit = replace(module, node, f"{alias}.shape({source(module, owner)}){index}")
    return Fix(f"ask {alias}.shape for the size", True, (edit,), imports)


def _check_dtype(event: Call, report: Report) -> None:
    position = 1 if event.name == "keras.ops.cast" else 99
    value = event.argument(position, "dtype")
    wide = _wide(value) if value is not None else ""
    if wide in ("float64", "double") or (
        wide and event.frame.role != "metric" and may_overflow(event.frame, event.node)
    ):
        report(WIDE, event.frame, event.node, f"{wide} is {_narrow(wide)} on jax")


def _wide(value: Value) -> str:
    """The 64-bit dtype that a value names, as a string or as an attribute of NumPy or a framework."""
    named = value.literal if isinstance(value.literal, str) else value.name.rpartition(".")[2]
    return named if named in _WIDE else ""


def _narrow(dtype: str) -> str:
    return dtype.replace("64", "32").replace("double", "float32")


@on(Binary)
def check_arithmetic(event: Binary, report: Report) -> None:
    """Batch sizes in arithmetic."""
    frame, pair = event.frame, (event.left, event.right)
    if not _applies(frame) or frame.role == "metric":
        return
    nodes = (event.node.left, event.node.right)
    for index in (0, 1):
        value, beside = pair[index], pair[1 - index]
        if _static_batch(value) and not _asks_for_none(frame, nodes[index]):
            report(BATCH, frame, nodes[index], _unknown(frame, nodes[index]))
        elif (
            value.kind is Kind.SIZE
            and value.batch
            and beside.is_tensor
            and beside.dtype in ("", "float")
        ):
            report(SIZE, frame, event.node, "the batch size is an int32 tensor on tensorflow here")


@on(Index)
def check_index(event: Index, report: Report) -> None:
    """Indexing."""
    frame = event.frame
    if event.store or not _applies(frame):
        return
    sure = event.index.is_tensor or not event.base.weak
    if event.base.kind is Kind.NESTED and sure and event.index.dtype == "bool":
        report(DATA, frame, event.node, "the shape of what a mask selects depends on its values")
    if not event.base.is_tensor:
        return
    if _has_negative_step(event.node.slice):
        report(STEP, frame, event.node, "torch has no negative step")
    elif event.index.dtype == "bool" and event.index.is_tensor:
        report(DATA, frame, event.node, "the shape of what a mask selects depends on its values")
    elif _is_list(event.node.slice, event.index):
        report(
            LIST,
            frame,
            event.node,
            "tensorflow does not index with a list or a tensor of several indices",
        )


def _has_negative_step(index: ast.expr) -> bool:
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(
        isinstance(each, ast.Slice)
        and isinstance(each.step, ast.UnaryOp)
        and isinstance(each.step.op, ast.USub)
        for each in parts
    )


def _is_list(index: ast.expr, value: Value) -> bool:
    """A list among several indices; or a tensor of indices, known as one by the operation that made it."""
    if not isinstance(index, ast.Tuple):
        return False
    parts = zip(index.elts, value.items, strict=False) if value.kind is Kind.ITEMS else ()
    return any(
        isinstance(node, ast.List) or (each.is_tensor and each.dtype == "int" and each.batch)
        for node, each in parts
    )
