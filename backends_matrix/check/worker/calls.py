"""Every call of a layer or operation while a model runs, handed to whoever wants to look or to interfere."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import keras

from backends_matrix.check.worker.call_recipe import recipe_of
from backends_matrix.check.worker.failure import is_users, user_frame

Run = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_OUTSIDE = ("portable_models.random.", "backends_matrix.check.worker.")
"""Modules whose own operations are no part of a model: they draw, and record."""
_NOT_COMPUTING = frozenset({"shape", "ndim", "is_tensor", "convert_to_numpy", "dtype", "size"})


@dataclass
class Call:
    """One call.

    Args:
        number: in the order in which calls begin.
        key: path and how often it was called before; the same on every backend.
        kind: layer or op.
        path: of the layer; for an operation, its name after the layer that it is called in.
        name: class or function name.
        target: the layer or function.
        leaf: nothing inside of it is looked at.
        place: where the user's code calls it, if it does.
        parent: number of the call that it lies in, or -1.
    """

    number: int
    key: str
    kind: str
    path: str
    name: str
    target: Any
    leaf: bool
    place: dict[str, Any] | None
    parent: int
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        place = self.place or {}
        return {
            "key": self.key,
            "kind": self.kind,
            "path": self.path,
            "class": self.name,
            "module": type(self.target).__module__ if self.kind == "layer" else "keras.ops",
            "activation": _activation(self.target),
            "leaf": self.leaf,
            "file": place.get("file", ""),
            "line": place.get("line"),
            "parent": self.parent,
            **self.extra,
        }


def _activation(target: Any) -> str:
    """The name of a layer's activation function; "" where it has none, or the identity."""
    name = str(getattr(getattr(target, "activation", None), "__name__", ""))
    return "" if name == "linear" else name


Handler = Callable[[Call, Run, tuple[Any, ...], dict[str, Any]], Any]


class Observer:
    """Hands calls to a handler, which runs them and returns what the caller is to get.

    Layers that come with Keras, but for models, are leaves: how they call their own parts differs between
    backends by design. Operations are those of ``keras.ops`` that the user's own modules call.

    Args:
        handler: called as ``handler(call, run, args, kwargs)``.
        root: folder of the user's own files.
        recipes: say of every call how it could be written down again.
    """

    def __init__(self, handler: Handler, root: str, *, recipes: bool = False) -> None:
        self._handler, self._root, self._recipes = handler, root, recipes
        self._stack: list[Call] = []
        self._seen: dict[str, int] = {}
        self._count = 0
        self._quiet = 0

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Inside, calls are run as if nobody looked."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, calls are handed over."""
        layer_call, operation_call = keras.Layer.__call__, keras.Operation.__call__
        keras.Layer.__call__ = self._layer(layer_call)
        keras.Operation.__call__ = self._operation(operation_call)
        replaced = list(self._replace_operations())
        try:
            yield
        finally:
            keras.Layer.__call__, keras.Operation.__call__ = layer_call, operation_call
            for module, name, function in replaced:
                setattr(module, name, function)

    def _layer(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            own = type(layer).__module__.startswith("keras.")
            leaf = own and not isinstance(layer, keras.Model)
            path = layer.path or layer.name
            return self._run(
                original, layer, "layer", path, type(layer).__name__, leaf, args, kwargs
            )

        return call

    def _operation(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(operation, keras.Layer):
                return original(operation, *args, **kwargs)
            name = type(operation).__name__
            return self._run(original, operation, "op", operation.name, name, True, args, kwargs)

        return call

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = getattr(function, "__name__", "op")

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            # Documented in spite of its name.
            caller = sys._getframe(1).f_globals  # noqa: SLF001
            if caller.get("__name__", "").startswith(_OUTSIDE):
                return function(*args, **kwargs)

            def original(_: Any, *given: Any, **named: Any) -> Any:
                return function(*given, **named)

            return self._run(original, function, "op", f"ops.{name}", name, True, args, kwargs)

        return call

    def _run(
        self,
        original: Callable[..., Any],
        target: Any,
        kind: str,
        path: str,
        name: str,
        leaf: bool,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        inside_leaf = bool(self._stack and self._stack[-1].leaf)
        if self._quiet or inside_leaf:
            return original(target, *args, **kwargs)
        if kind == "op" and self._stack:
            path = f"{self._stack[-1].path}/{path}" if path.startswith("ops.") else path
        count = self._seen.get(path, 0)
        self._seen[path] = count + 1
        parent = self._stack[-1].number if self._stack else -1
        place = user_frame(self._root, 3) if kind == "op" else None
        call = Call(self._count, f"{path}#{count}", kind, path, name, target, leaf, place, parent)
        self._count += 1

        if self._recipes and (leaf or not type(target).__module__.startswith("keras.")):
            with self.quiet():  # a copy of the layer is built there
                call.extra = recipe_of(call, args, kwargs, self._root)

        def run(given: tuple[Any, ...], named: dict[str, Any]) -> Any:
            self._stack.append(call)
            try:
                return original(target, *given, **named)
            finally:
                self._stack.pop()

        return self._handler(call, run, args, kwargs)

    def _replace_operations(self) -> Iterator[tuple[ModuleType, str, Any]]:
        """Wrap the operations of ``keras.ops``, there and wherever the user's modules hold them."""
        wrapped: dict[int, Callable[..., Any]] = {}
        for name, function in list(vars(keras.ops).items()):
            if isinstance(function, FunctionType) and name not in _NOT_COMPUTING:
                wrapped[id(function)] = self._function(function)
                yield keras.ops, name, function
                setattr(keras.ops, name, wrapped[id(function)])
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not file or not is_users(file, self._root):
                continue
            for name, value in list(vars(module).items()):
                if id(value) in wrapped and isinstance(value, FunctionType):
                    yield module, name, value
                    setattr(module, name, wrapped[id(value)])
