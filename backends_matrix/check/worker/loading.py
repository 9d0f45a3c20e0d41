"""From a target to something that builds its model, as often as it is asked."""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np

from backends_matrix.check.worker.failure import is_users
from portable_models.random import portable_random

BUILDER = "build_model"


class TargetError(Exception):
    """The target is not what was expected; the message says what was, and what to do."""


@dataclass(frozen=True)
class Loaded:
    """A target that was imported.

    Args:
        make: builds a model, called inside ``portable_random``.
        module: what it was imported from; None for a ``.keras`` file.
        root: folder of the user's own files.
    """

    make: Callable[[], Any]
    module: ModuleType | None
    root: str

    def extra(self, name: str) -> Any:
        """``example_inputs`` and the like beside the builder; None where there is none."""
        return getattr(self.module, name, None)


def load_target(target: Mapping[str, Any], seed: int) -> Loaded:
    """Import what a target names.

    Raises:
        TargetError: it names nothing that builds a model.
    """
    seed_everything(seed)
    path, name = Path(target["path"]), target["object"]
    if target["kind"] == "keras":
        return Loaded(
            _reader(path, target["trust"], tuple(target["allow"])), None, str(path.parent)
        )
    if target["kind"] == "file":
        module = import_file(path)
        root = str(path.parent)
    else:
        module = importlib.import_module(target["module"])
        file = getattr(module, "__file__", None)
        root = str(Path(file).parent) if file else ""
    return Loaded(_maker(module, name), module, root)


def build(loaded: Loaded, seed: int) -> Any:
    """A fresh model. Call it inside ``portable_random(seed)``.

    Raises:
        TargetError: the builder returns no Keras model.
    """
    keras.utils.clear_session(free_memory=False)
    seed_everything(seed)
    model = loaded.make()
    if not isinstance(model, keras.Model):
        raise TargetError(
            f"the builder returned {type(model).__name__}, not a keras.Model; return the model that "
            f"is to be checked"
        )
    return model


def seed_everything(seed: int) -> None:
    """Python's and NumPy's own generators start alike in every process."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def fresh_randomness(seed: int) -> portable_random:
    """What a model is built and run inside of."""
    return portable_random(seed)


def import_file(path: Path) -> ModuleType:
    """Import a Python file under its own name, as ``import`` would beside it."""
    folder = path.parent
    package: list[str] = []
    while (folder / "__init__.py").exists():
        package.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    if package:
        importlib.invalidate_caches()
        return importlib.import_module(".".join([*package, path.stem]))
    # A file may be called like a module that is loaded already (model.py, keras.py).
    name = path.stem if path.stem not in sys.modules else f"checked_{path.stem}"
    name = name if name.isidentifier() else f"checked_{abs(hash(path.stem))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} cannot be imported as Python; expected a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def user_files(root: str) -> list[str]:
    """The Python files below a folder that are imported now."""
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    inside = f"{root.rstrip('/')}/"
    return [
        file
        for file in files
        if root and file.startswith(inside) and file.endswith(".py") and is_users(file, root)
    ][:200]


def _maker(module: ModuleType, name: str) -> Callable[[], Any]:
    wanted = name or BUILDER
    found: Any = module
    for part in wanted.split("."):
        found = getattr(found, part, None)
        if found is None:
            defined = [key for key, value in vars(module).items() if _is_own(module, value)]
            raise TargetError(
                f"{module.__name__} has no {wanted!r}; define def {wanted}() that returns a keras.Model"
                + (f", or name one of: {', '.join(defined[:8])}" if defined else "")
            )
    if isinstance(found, keras.Model):
        return _copier(found)
    if not callable(found):
        raise TargetError(
            f"{wanted!r} is {type(found).__name__}; expected a function without arguments that "
            f"returns a keras.Model"
        )
    function: Callable[[], Any] = found
    return function


def _is_own(module: ModuleType, value: Any) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def _copier(model: Any) -> Callable[[], Any]:
    """Build a live model again: by its configuration, with its weights."""
    compiled = model.get_compile_config() if model.compiled else None

    def make() -> Any:
        copy = type(model).from_config(model.get_config())
        if not copy.built and model.built:
            copy.build_from_config(model.get_build_config())
        copy.set_weights(model.get_weights())
        if compiled:
            copy.compile_from_config(compiled)
        return copy

    return make


def _reader(path: Path, trust: bool, allow: tuple[str, ...]) -> Callable[[], Any]:
    def make() -> Any:
        if trust:
            return keras.saving.load_model(path, safe_mode=False)
        from portable_models.files import load

        return load(path, allow=allow)

    return make
