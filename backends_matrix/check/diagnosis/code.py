"""A source file as the rules see it: imports, functions that Keras traces, and which names hold tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FRAMEWORKS = ("tensorflow", "torch", "jax", "flax", "tf_keras")
ENTRY = (
    "call",
    "compute_loss",
    "compute_metrics",
    "compute_mask",
    "train_step",
    "test_step",
    "predict_step",
    "update_state",
    "build",
)
"""Methods that Keras calls with tensors, or from code that it traces."""

_BUILDERS = ("build", "make", "get_", "create", "example_")
"""How functions that are given no tensors begin."""

_PLAIN = frozenset({"self", "cls", "training", "mask", "input_shape", "shape", "dtype"})
_SHAPE_LIKE = frozenset({"shape", "ndim", "dtype", "name", "device"})
_UNTAINTED_CALLS = frozenset(
    {"len", "isinstance", "type", "hasattr", "shape", "ndim", "id", "callable"}
)


@dataclass
class Function:
    """A function that may be traced.

    Args:
        node: its definition.
        owner: the class that it is a method of, or None.
        tainted: names in it that hold tensors.
    """

    node: ast.FunctionDef
    owner: ast.ClassDef | None
    tainted: set[str] = field(default_factory=set)

    @property
    def where(self) -> str:
        """``Class.method`` or ``function``."""
        return f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name


@dataclass
class Code:
    """A parsed file.

    Args:
        file: its path.
        tree: its syntax tree.
        aliases: local name -> dotted name of what was imported.
        functions: those that may run while Keras traces or trains.
    """

    file: str
    tree: ast.Module
    aliases: dict[str, str]
    functions: list[Function]

    def dotted(self, node: ast.AST) -> str:
        """The full dotted name of ``np.random.normal`` and the like; "" where it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.insert(0, self.aliases.get(node.id, node.id))
        return ".".join(parts)


def parse(file: str, text: str) -> Code | None:
    """Parse a file; None where it is not Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    code = Code(file, tree, dict(_aliases(tree)), [])
    code.functions = list(_functions(tree, code))
    for function in code.functions:
        _spread(function, code)
    return code


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield (
                    name.asname or name.name.partition(".")[0],
                    (name.name if name.asname else name.name.partition(".")[0]),
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"


def _functions(tree: ast.Module, code: Code) -> Iterator[Function]:
    """Entry methods, the methods that they call, and plain functions that layers use."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    used = _used_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
            reached = [name for name in methods if name in ENTRY]
            if "__call__" in methods and not reached:
                reached = ["__call__"]
            for name in reached:
                for called in _self_calls(methods[name]):
                    if called in methods and called not in reached:
                        reached.append(called)
            for name in reached:
                yield Function(methods[name], node, _tensor_arguments(methods[name]))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.args.args:
            continue
        if node.name in names & used and not node.name.startswith(_BUILDERS):
            yield Function(node, None, _tensor_arguments(node))


def _used_names(tree: ast.Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _self_calls(function: ast.FunctionDef) -> list[str]:
    return [
        node.func.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "self"
    ]


def _tensor_arguments(function: ast.FunctionDef) -> set[str]:
    if function.name == "build":
        return set()
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    plain_defaults = _with_plain_defaults(function)
    return {each.arg for each in arguments} - _PLAIN - plain_defaults


def _with_plain_defaults(function: ast.FunctionDef) -> set[str]:
    """Arguments whose default is a literal such as a number, a string or a tuple: settings, not tensors."""
    taken = function.args
    given = [*taken.posonlyargs, *taken.args]
    pairs = [
        *zip(given[len(given) - len(taken.defaults) :], taken.defaults, strict=True),
        *zip(taken.kwonlyargs, taken.kw_defaults, strict=True),
    ]
    return {argument.arg for argument, default in pairs if _is_literal(default)}


def _is_literal(default: ast.expr | None) -> bool:
    if default is None:
        return False
    try:
        return ast.literal_eval(default) is not None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return False


def holds_tensor(node: ast.AST, tainted: set[str]) -> bool:
    """Whether an expression's value depends on a tensor's values, not only on its shape or type."""
    if isinstance(node, ast.Name):
        return node.id in tainted
    if isinstance(node, ast.Attribute):
        return node.attr not in _SHAPE_LIKE and holds_tensor(node.value, tainted)
    if isinstance(node, ast.Call):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name in _UNTAINTED_CALLS:
            return False
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            parts.append(node.func.value)
        return any(holds_tensor(part, tainted) for part in parts)
    if isinstance(node, ast.Compare) and all(
        isinstance(operator, ast.Is | ast.IsNot | ast.In | ast.NotIn) for operator in node.ops
    ):
        return False
    if isinstance(node, ast.Lambda | ast.FunctionDef):
        return False
    return any(holds_tensor(child, tainted) for child in ast.iter_child_nodes(node))


def _spread(function: Function, code: Code) -> None:
    """Names that are assigned from tensors hold tensors; a second pass catches loops."""
    del code
    for _ in range(2):
        for node in ast.walk(function.node):
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.For):
                targets, value = [node.target], node.iter
            if value is None or not holds_tensor(value, function.tainted):
                continue
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and name.id != "self":
                        function.tainted.add(name.id)
