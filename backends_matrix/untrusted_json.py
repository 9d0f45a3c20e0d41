"""Parse JSON that may come from anyone."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class TooDeepError(ValueError):
    """Objects and arrays lie inside each other more often than in any file of this project."""


def parse_json(text: str, deepest: int) -> Any:
    """The plain values of a JSON text.

    Args:
        text: the text.
        deepest: how many objects and arrays may lie inside each other.

    Raises:
        TooDeepError: it is nested more deeply.
        ValueError: it is no JSON, or holds NaN or an infinity, which JSON does not have.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise TooDeepError("it is nested too deeply") from None
    if _is_deeper(value, deepest):
        raise TooDeepError("it is nested too deeply")
    return value


def _is_deeper(value: Any, allowed: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    containers = [each for each in inner if isinstance(each, dict | list)]
    return bool(containers) and (
        not allowed or any(_is_deeper(each, allowed - 1) for each in containers)
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which JSON does not have")
