"""Modules that importing Keras imports, and training needs none of: left until their first use, or out."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

LATE = ("keras.src.trainers.data_adapters.array_slicing", "requests")
"""``Model.fit`` and its kin take arrays apart with the first, which imports pandas; a callback sends with the
second.
"""


class Without(NamedTuple):
    """What a module goes without while it is imported, unless that is there already.

    Args:
        package: what is not found.
        names: what the module calls parts of the package -> ``"module"`` or ``"module:name"``, which is
            looked for when it is used.
    """

    package: str
    names: Mapping[str, str] = MappingProxyType({})


LEFT_OUT = {
    # Keras 3.15.1 imports JAX on every backend to give releases that are older than what this project takes a
    # function that they lack. Can go when Keras asks for its backend first, as in the rest of that file.
    "keras.src.callbacks.orbax_checkpoint": Without("jax"),
    # TensorFlow 2.21 imports it for TFLiteConverter.experimental_from_jax.
    "tensorflow.lite.python.util": Without("jax", {"_jit": "jax:jit"}),
    # And SciPy, for its own old Keras.
    "tensorflow.python.keras.engine.training_arrays_v1": Without(
        "scipy", {"issparse": "scipy.sparse:issparse"}
    ),
    "keras.src.visualization.plot_image_gallery": Without(
        "matplotlib", {"plt": "matplotlib.pyplot"}
    ),
    "keras.src.visualization.plot_bounding_box_gallery": Without(
        "matplotlib", {"patches": "matplotlib.patches"}
    ),
}
"""Who imports a package and needs little of it. With ``LATE``, a third of the import of Keras with JAX."""


class _LateLoader(Loader):
    """Runs a module when it is asked for a name that it does not have yet.

    Unlike ``importlib.util.LazyLoader``, not when it is asked for what every module has: PyTorch looks at the
    files of all of them.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._begun = False
        self._path: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Leave a ``__getattr__`` and a ``__dir__`` in it (PEP 562) that run it."""
        # Who imports a part of a package asks for its path, and must find the whole.
        self._path = vars(module).pop("__path__", None)

        def ask(name: str) -> Any:
            looked_at = ("__all__", "__path__") if self._path is not None else ("__all__",)
            if name in looked_at or not name.startswith("__"):
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
            if self._path is not None:
                module.__path__ = self._path
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


class _WithoutLoader(Loader):
    """Runs a module as if another one were not installed."""

    def __init__(self, loader: Loader, without: Without, missing: dict[str, int]) -> None:
        self._loader = loader
        self._without = without
        self._missing = missing

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run it; other threads find what this one does not."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        package, names = self._without
        if package in sys.modules or PathFinder.find_spec(package) is None:
            self._loader.exec_module(module)
            return
        self._missing[package] = threading.get_ident()
        try:
            self._loader.exec_module(module)
        finally:
            del self._missing[package]
        for name, target in names.items():
            setattr(module, name, _LookedFor(*target.split(":")))


class _LookedFor:
    """A module, or what is called so in it, that is imported when it is used."""

    def __init__(self, module: str, name: str = "") -> None:
        self._target = module, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._found()(*given, **named)

    def _found(self) -> Any:
        module, name = self._target
        found = importlib.import_module(module)
        return getattr(found, name) if name else found


class _LateFinder(MetaPathFinder):
    def __init__(self) -> None:
        # What is left out -> the thread that goes without it.
        self._missing: dict[str, int] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self._missing.get(fullname) == threading.get_ident():
            raise ModuleNotFoundError(f"{fullname} is left out here", name=fullname)
        if fullname not in LATE and fullname not in LEFT_OUT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = (
                _LateLoader(spec.loader)
                if fullname in LATE
                else _WithoutLoader(spec.loader, LEFT_OUT[fullname], self._missing)
            )
        return spec


@contextlib.contextmanager
def imported_late() -> Iterator[None]:
    """Inside, what is in ``LATE`` is found when it is imported, and run when it is used first.

    And what is in ``LEFT_OUT`` goes without.
    """
    finder = _LateFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
