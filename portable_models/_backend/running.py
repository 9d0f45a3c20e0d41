"""The backend that runs in this process."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from portable_models._backend.base import Backend


@functools.cache
def current() -> Backend:
    """The backend that Keras runs on in this process.

    Keras fixes its backend when it is imported, so the answer never changes.
    """
    import keras

    name: str = keras.backend.backend()
    module: Any
    try:
        module = importlib.import_module(f"portable_models._backend.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"portable_models._backend.{name}":
            raise
        raise RuntimeError(
            f"portable_models supports the backends jax, tensorflow and torch; Keras runs on {name!r}. "
            "Set KERAS_BACKEND to one of the three before keras is imported"
        ) from None
    backend: Backend = module.BACKEND
    return backend
