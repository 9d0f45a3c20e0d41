"""Mistakes inside of code that Keras traces: what works eagerly on one backend and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backends_matrix.check.diagnosis.code import FRAMEWORKS, Code, Function, holds_tensor
from backends_matrix.check.diagnosis.suspicion import Suspicion

_FOREIGN_METHODS = {
    "numpy", "item", "tolist", "detach", "cpu", "cuda", "unsqueeze", "permute", "view", "size", "dim",
    "get_shape", "set_shape", "eval", "at", "contiguous", "long", "float", "mean", "sum", "max", "min",
    "repeat", "clamp", "squeeze", "backward", "requires_grad_", "to", "masked_fill", "t", "matmul", "astype",
}  # fmt: skip
_HOST_VALUES = {"numpy", "item", "tolist"}
_TO_HOST = {"float", "int", "bool"}
_DYNAMIC = {"nonzero", "unique", "boolean_mask", "argwhere", "flatnonzero", "compress"}
_LAYERS = {
    "Dense", "Conv1D", "Conv2D", "Conv3D", "Embedding", "LSTM", "GRU", "BatchNormalization",
    "LayerNormalization", "MultiHeadAttention", "Dropout", "Variable", "EinsumDense",
}  # fmt: skip


def call_rules(code: Code) -> Iterator[Suspicion]:
    """All suspicions in a file's traced functions."""
    for function in code.functions:
        if function.owner is not None and function.node.name in ("train_step", "test_step"):
            yield _own_step(function, code)
        for node in ast.walk(function.node):
            for rule, reason, hint in _of_node(node, function, code):
                line = getattr(node, "lineno", function.node.lineno)
                last = getattr(node, "end_lineno", None) or line
                yield Suspicion(rule, code.file, line, last, function.where, reason, hint)


def _own_step(function: Function, code: Code) -> Suspicion:
    line = function.node.lineno
    return Suspicion(
        "own-step",
        code.file,
        line,
        line,
        function.where,
        f"{function.where} is called with (state, data) on JAX and with (data) elsewhere, so one "
        f"cannot serve all",
        "override compute_loss(self, x, y, y_pred, sample_weight, training) and keep Keras's train_step",
    )


def _of_node(node: ast.AST, function: Function, code: Code) -> Iterator[tuple[str, str, str]]:
    where, tainted = function.where, function.tainted
    if isinstance(node, ast.Call):
        yield from _of_call(node, function, code)
    elif isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        if holds_tensor(node.test, tainted):
            yield (
                "tensor-branch",
                f"{where} branches in Python on the value of a tensor, which has none while JAX and "
                f"TensorFlow trace",
                "use keras.ops.where(condition, a, b) or keras.ops.cond",
            )
    elif isinstance(node, ast.For) and _loops_over(node.iter, tainted):
        yield (
            "tensor-loop",
            f"{where} loops in Python over a tensor or its free axis, whose length is not known "
            f"while traced",
            "use keras.ops.vectorized_map, keras.ops.fori_loop or keras.ops.scan",
        )
    elif isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from _of_assignment(node, target, function, code)
    elif _selects_by_mask(node, tainted):
        yield (
            "dynamic-shape",
            f"{where} selects by a boolean mask: the result's shape depends on values, which JAX "
            f"cannot compile",
            "keep the shape and use keras.ops.where(mask, x, 0)",
        )


def _selects_by_mask(node: ast.AST, tainted: set[str]) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.slice, ast.Compare)
        and holds_tensor(node.slice, tainted)
    )


def _of_call(node: ast.Call, function: Function, code: Code) -> Iterator[tuple[str, str, str]]:
    where, tainted = function.where, function.tainted
    name = code.dotted(node.func)
    root, short = name.partition(".")[0], name.rpartition(".")[2]
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    if short == "GradientTape":
        yield (
            "gradient-tape",
            f"{where} differentiates with tf.GradientTape, which exists on TensorFlow only",
            "override compute_loss(self, x, y, y_pred, sample_weight, training) and keep Keras's train_step",
        )
    elif root in FRAMEWORKS:
        yield (
            "foreign-op",
            f"{where} calls {ast.unparse(node.func)}, an operation of {root}, which takes no "
            f"tensors of the other backends",
            f"use keras.ops.{short} or another operation of keras.ops",
        )
    elif name.startswith(("numpy.random.", "random.")) or name in ("time.time", "uuid.uuid4"):
        yield (
            "host-randomness",
            f"{where} draws from {ast.unparse(node.func)}: compiled code draws once, while it is "
            f"traced, and repeats that number",
            "make a keras.random.SeedGenerator in __init__ and call keras.random.normal(..., "
            "seed=self.seed_generator)",
        )
    elif root == "numpy" and any(holds_tensor(each, tainted) for each in arguments):
        yield (
            "numpy-op",
            f"{where} calls {ast.unparse(node.func)} on a tensor: NumPy has no gradient and cannot "
            f"take a traced tensor",
            f"use keras.ops.{short}",
        )
    elif name in _TO_HOST and any(holds_tensor(each, tainted) for each in arguments):
        yield (
            "host-value",
            f"{where} turns a tensor into a Python number with {name}(), which has no value while traced",
            "stay with tensors: keras.ops.cast, keras.ops.where",
        )
    elif short == "convert_to_numpy" and holds_tensor(node, tainted):
        yield (
            "host-value",
            f"{where} takes a tensor to NumPy, which is not possible while traced",
            "stay with keras.ops",
        )
    elif short in _DYNAMIC or (short == "where" and len(arguments) == 1):
        yield (
            "dynamic-shape",
            f"{where} calls {short}, whose result has a shape that depends on values: JAX cannot compile it",
            "keep the shape and use keras.ops.where(condition, x, y) with three arguments",
        )
    elif name.startswith("keras.random.") and not _has_seed(node):
        yield (
            "unseeded-draw",
            f"{where} draws without a seed generator, which compiled code of JAX does not allow",
            "make self.seed_generator = keras.random.SeedGenerator() in __init__ and pass "
            "seed=self.seed_generator",
        )
    elif function.owner is not None and function.node.name in ("call", "train_step"):
        if name == "self.add_weight" or (short in _LAYERS and name.startswith("keras.")):
            yield (
                "weights-in-call",
                f"{where} makes {short} in call: its weights are new each time, or not known to the "
                f"optimizer and to files",
                "make layers in __init__ and weights in build",
            )
        elif short in ("Mean", "Accuracy", "Sum") and name.startswith("keras.metrics"):
            yield (
                "metric-in-call",
                f"{where} makes a metric while traced",
                "make metrics in __init__ and update them in compute_metrics",
            )
    yield from _of_method(node, function)


def _of_method(node: ast.Call, function: Function) -> Iterator[tuple[str, str, str]]:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _FOREIGN_METHODS:
        return
    if not holds_tensor(node.func.value, function.tainted):
        return
    method = node.func.attr
    rule = "host-value" if method in _HOST_VALUES else "foreign-method"
    hint = (
        "stay with tensors"
        if rule == "host-value"
        else f"use keras.ops.{_operation(method)}(x, ...)"
    )
    yield (
        rule,
        f"{function.where} calls .{method}() of a tensor, a method that tensors of other backends "
        f"do not have or do not mean alike",
        hint,
    )


def _operation(method: str) -> str:
    return {
        "unsqueeze": "expand_dims", "permute": "transpose", "view": "reshape", "size": "shape", "clamp":
        "clip", "astype": "cast", "to": "cast", "float": "cast", "long": "cast", "masked_fill": "where", "t":
        "transpose", "get_shape": "shape", "dim": "ndim",
    }.get(method, method)  # fmt: skip


def _of_assignment(
    node: ast.Assign | ast.AugAssign, target: ast.expr, function: Function, code: Code
) -> Iterator[tuple[str, str, str]]:
    where, tainted = function.where, function.tainted
    if isinstance(target, ast.Subscript) and holds_tensor(target.value, tainted):
        yield (
            "in-place",
            f"{where} assigns into a tensor: tensors of JAX and TensorFlow cannot be changed",
            "use keras.ops.slice_update, keras.ops.scatter_update or keras.ops.where",
        )
    elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
        if isinstance(node, ast.AugAssign):
            yield (
                "python-state",
                f"{where} counts in the Python attribute self.{target.attr}: compiled code changes "
                f"it only while traced",
                "keep state in a variable: self.add_weight(..., trainable=False) and .assign_add",
            )
        elif function.node.name != "build" and holds_tensor(node.value, tainted):
            yield (
                "kept-tensor",
                f"{where} keeps a tensor in self.{target.attr}: after tracing it holds a tracer, or "
                f"a value of an old batch",
                "return it, or keep state in a variable made in build",
            )
    elif isinstance(node, ast.AugAssign) and isinstance(target, ast.Name):
        arguments = {each.arg for each in function.node.args.args}
        if target.id in arguments - {"self"} and target.id in tainted:
            yield (
                "in-place-operator",
                f"{where} changes its argument {target.id!r} with an augmented assignment: PyTorch "
                f"does so in place, for the caller too",
                f"write {target.id} = {target.id} + ...",
            )


def _loops_over(node: ast.expr, tainted: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in tainted
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range":
        text = ast.unparse(node)
        return (
            any(holds_tensor(each, tainted) for each in node.args)
            or "shape(" in text
            or ".shape[0]" in text
        )
    return False


def _has_seed(node: ast.Call) -> bool:
    return any(keyword.arg == "seed" for keyword in node.keywords)
