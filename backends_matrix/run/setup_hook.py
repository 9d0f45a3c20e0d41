"""The function of a user's own that is called in a worker once keras is imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable


def load_setup_function(path: str) -> Callable[[], object]:
    """The function that ``package.module:function`` names.

    Raises:
        ValueError: it names none.
    """
    module, _, name = path.partition(":")
    function = getattr(importlib.import_module(module), name, None)
    if not callable(function):
        raise ValueError(f"{path!r} names no function; expected package.module:function")
    return function  # type: ignore[no-any-return]  # getattr
