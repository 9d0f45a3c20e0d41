"""The modules in which the running backend keeps its operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras.src import backend
from keras.src.backend.common.stateless_scope import get_stateless_scope


def get_operations(kind: str) -> Any:
    """Return a module of the running backend's operations, such as ``core`` or ``image``.

    Keras up to 3.15 keeps them in ``keras.src.backend``; the nightly builds of 3.16 moved them to
    ``keras.src.backend.ops`` (https://github.com/keras-team/keras/issues/23642).

    Args:
        kind: the module's name.
    """
    return getattr(getattr(backend, "ops", backend), kind)


def current_scope() -> Any:
    """Return the stateless scope that the calling thread is in, or None."""
    return get_stateless_scope()


@contextmanager
def replace_cond(replacement: Callable[..., Any]) -> Iterator[None]:
    """Put a function in the place of the running backend's ``cond`` while entered.

    ``keras.ops.cond`` calls the one in ``core``. Optimizers of the nightly builds of 3.16 call the one that
    is imported into ``keras.src.backend.ops``.
    """
    core = get_operations("core")
    owners = [core, *(each for each in (getattr(backend, "ops", None),) if hasattr(each, "cond"))]
    originals = [owner.cond for owner in owners]
    for owner in owners:
        owner.cond = replacement
    try:
        yield
    finally:
        for owner, original in zip(owners, originals, strict=True):
            owner.cond = original
