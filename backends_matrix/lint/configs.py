"""What ``__init__`` takes and what ``get_config`` gives, read from a class and its ancestors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from backends_matrix.lint.ancestry import ClassInfo
from backends_matrix.lint.modules import dotted

BASE_KEYS = frozenset(
    {"name", "dtype", "trainable", "activity_regularizer", "autocast", "reduction"}
)
"""Keys of the configs of Keras's own base classes."""

_DESERIALIZING = ("get", "deserialize", "deserialize_keras_object", "from_config", "isinstance")


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of ``__init__``.

    Args:
        owner: the class that defines it.
        node: the method.
        names: parameters but ``self``, in order.
        required: those without a default.
        positional_only: those before a slash.
        variadic: name of ``*args``, if any.
        keywords: name of ``**kwargs``, if any.
    """

    owner: ClassInfo
    node: ast.FunctionDef
    names: tuple[str, ...]
    required: frozenset[str]
    positional_only: tuple[str, ...]
    variadic: str
    keywords: str

    @property
    def own(self) -> tuple[str, ...]:
        """Parameters that the base classes of Keras do not have."""
        return tuple(name for name in self.names if name not in BASE_KEYS)


def signature_of(info: ClassInfo) -> Signature | None:
    """The signature of ``__init__``, inherited or not; None where it is Keras's."""
    found = info.method("__init__")
    if found is None:
        return None
    owner, node = found
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    required = {each.arg for each in positional[: len(positional) - len(arguments.defaults)]}
    required |= {
        each.arg
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    }
    return Signature(
        owner,
        node,
        tuple(each.arg for each in (*positional, *arguments.kwonlyargs)),
        frozenset(required),
        tuple(each.arg for each in arguments.posonlyargs if each.arg != "self"),
        arguments.vararg.arg if arguments.vararg else "",
        arguments.kwarg.arg if arguments.kwarg else "",
    )


@dataclass(frozen=True, slots=True)
class Config:
    """What ``get_config`` gives.

    Args:
        node: the method.
        values: key -> expression.
        complete: whether every key is known.
        calls_base: whether it asks the base class too.
    """

    node: ast.FunctionDef
    values: dict[str, ast.expr]
    complete: bool
    calls_base: bool


def config_of(node: ast.FunctionDef) -> Config:
    """Read a ``get_config``: literal keys, updates and items that are assigned."""
    values: dict[str, ast.expr] = {}
    complete, base = True, False
    for each in ast.walk(node):
        match each:
            case ast.Dict(keys=keys, values=found):
                for key, value in zip(keys, found, strict=True):
                    if key is None:
                        complete &= _is_base(value) or isinstance(value, ast.Dict | ast.Name)
                    elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                        values.setdefault(key.value, value)
                    else:
                        complete = False
            case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                for keyword in keywords:
                    if keyword.arg:
                        values.setdefault(keyword.arg, keyword.value)
                    else:
                        complete &= _is_base(keyword.value) or isinstance(keyword.value, ast.Name)
            case ast.Call(func=ast.Attribute(attr="update"), args=args, keywords=keywords):
                for keyword in keywords:
                    if keyword.arg:
                        values.setdefault(keyword.arg, keyword.value)
                    else:
                        complete = False
                complete &= all(isinstance(arg, ast.Dict) or _is_base(arg) for arg in args)
            case ast.Assign(targets=[ast.Subscript(slice=index)], value=value):
                if isinstance(index, ast.Constant) and isinstance(index.value, str):
                    values.setdefault(index.value, value)
                else:
                    complete = False
            case ast.Call() if _is_base(each):
                base = True
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                known = (ast.Dict, ast.Name, ast.BinOp)
                complete &= all(isinstance(side, known) or _is_base(side) for side in (left, right))
            case ast.Attribute(attr="__dict__") | ast.Name(id="vars" | "locals" | "inspect"):
                complete = False
            case ast.DictComp() | ast.For():
                complete = False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"))):
                complete = False
    if not values and not base:
        complete = False
    return Config(node, values, complete, base)


def _is_base(node: ast.expr) -> bool:
    """``super().get_config()`` or ``Base.get_config(self)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get_config"
    )


def base_configs(info: ClassInfo) -> Iterator[ClassInfo]:
    """Ancestors that were read and define ``get_config`` themselves."""
    for each in list(info.ancestors())[1:]:
        if each.own("get_config") is not None:
            yield each


def forwarded(signature: Signature) -> set[str]:
    """Parameters that ``__init__`` hands on to a base class."""
    found: set[str] = set()
    for node in ast.walk(signature.node):
        if isinstance(node, ast.Call) and dotted_end(node.func) == "__init__":
            parts = [*node.args, *(each.value for each in node.keywords)]
            for part in parts:
                found |= {each.id for each in ast.walk(part) if isinstance(each, ast.Name)}
    return found & {*signature.names}


def unused(signature: Signature) -> set[str]:
    """Parameters that ``__init__`` keeps in an attribute at most, which the module never reads."""
    kept: dict[str, str] = {}
    stored: set[ast.expr] = set()
    for node in ast.walk(signature.node):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)],
                value=ast.Name(id=name) as value,
            ) if name in signature.names:
                kept[name] = attribute
                stored.add(value)
    used = {
        node.id
        for node in ast.walk(signature.node)
        if isinstance(node, ast.Name) and node not in stored
    }
    read = {
        node.attr
        for node in signature.owner.module.nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    return {
        name
        for name in {*signature.names} - used - signature.required
        if name not in kept or kept[name] not in read
    }


def dotted_end(node: ast.expr) -> str:
    """The last part of a dotted expression, also behind a call such as ``super()``."""
    return node.attr if isinstance(node, ast.Attribute) else dotted(node)


def taken_from_keywords(signature: Signature) -> set[str]:
    """Keys that ``__init__`` takes out of ``**kwargs`` itself."""
    found: set[str] = set()
    for node in ast.walk(signature.node):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="pop" | "get" | "setdefault"),
                args=[ast.Constant(value=str() as key), *_],
            ) if name == signature.keywords:
                found.add(key)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                if name == signature.keywords:
                    found.add(key)
            case ast.Compare(left=ast.Constant(value=str() as key), ops=[ast.In() | ast.NotIn()]):
                found.add(key)
    return found


def objects(signature: Signature, info: ClassInfo) -> dict[str, str]:
    """Parameters that are kept as they come and called: layers, models and functions; with the reason."""
    kept: dict[str, str] = {}
    for node in ast.walk(signature.node):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)],
                value=ast.Name(id=name),
            ) if name in signature.names:
                kept[attribute] = name
            case ast.Call(func=func, args=args) if dotted_end(func) in _DESERIALIZING:
                for arg in args:
                    if isinstance(arg, ast.Name):
                        kept = {key: name for key, name in kept.items() if name != arg.id}
    found: dict[str, str] = {}
    for each in info.ancestors():
        for method in each.node.body:
            if not isinstance(method, ast.FunctionDef) or method.name in ("__init__", "get_config"):
                continue
            for node in ast.walk(method):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="self"), attr=attribute)
                    ) if attribute in kept and info.method(attribute) is None:
                        found[kept[attribute]] = attribute
    return found
