"""Modules that importing Keras imports, and training needs none of: left until their first use."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LATE = ("matplotlib.pyplot",)
"""A fifth of the time to import Keras with JAX; only ``keras.visualization`` draws with it."""


class _LateLoader(Loader):
    """Runs a module when it is asked for a name that it does not have yet.

    Unlike ``importlib.util.LazyLoader``, not when it is asked for what every module has: PyTorch looks at the
    files of all of them.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._begun = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Leave a ``__getattr__`` and a ``__dir__`` in it (PEP 562) that run it."""

        def ask(name: str) -> Any:
            if name == "__all__" or not name.startswith("__"):
                self._run(module)
            if vars(module).get("__getattr__") is not ask:
                return getattr(module, name)
            # Still asked here: it runs, or nothing was worth running it for.
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        def names() -> list[str]:
            self._run(module)
            return sorted(vars(module))

        vars(module).update(__getattr__=ask, __dir__=names)

    def _run(self, module: ModuleType) -> None:
        # Another thread waits until it has run; the module itself, while it runs, has what it has.
        with self._lock:
            if self._begun:
                return
            self._begun = True
            left = {name: vars(module)[name] for name in ("__getattr__", "__dir__")}
            assert module.__spec__ is not None
            module.__spec__.loader = module.__loader__ = self._loader
            try:
                self._loader.exec_module(module)
            except BaseException:
                # The next use tries again.
                self._begun = False
                raise
            for name, function in left.items():
                # Unless the module has one of its own.
                if vars(module)[name] is function:
                    del vars(module)[name]


class _LateFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in LATE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _LateLoader(spec.loader)
        return spec


@contextlib.contextmanager
def imported_late() -> Iterator[None]:
    """Inside, what is in ``LATE`` is found when it is imported, and run when it is used first."""
    finder = _LateFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
