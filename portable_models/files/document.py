"""JSON documents inside a model file: strict, bounded in depth, written in one form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits, one_line, shorten

Json: TypeAlias = Any
"""What ``json`` gives: dict, list, str, int, float, bool or None."""


class _DuplicateKeyError(ValueError):
    pass


def parse(content: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> dict[str, Json]:
    """Parse a JSON object.

    Args:
        content: the document, UTF-8.
        name: what it is called in an error.
        limits: bounds; ``depth`` is used.

    Raises:
        FileError: it is not UTF-8, not JSON, not an object, nested too deeply, or names a key twice
            (readers then disagree about which one holds).
    """
    too_deep = f"{name}: nested more than {limits.depth} levels deep; no model is"
    try:
        document = json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    except RecursionError as error:
        raise FileError(too_deep) from error
    except _DuplicateKeyError as error:
        raise FileError(f"{name}: the key {error} is there twice in one object") from error
    except ValueError as error:
        raise FileError(f"{name}: not valid JSON: {one_line(str(error), 120)}") from error
    if not isinstance(document, dict):
        raise FileError(f"{name}: expected a JSON object, got {type(document).__name__}")
    if _depth(document, limits.depth) > limits.depth:
        raise FileError(too_deep)
    return document


def canonical(document: Json) -> bytes:
    """One byte string for one document: sorted keys, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def walk(document: Json, path: str = "config") -> Iterator[tuple[str, str | None, Json]]:
    """Every value in a document as (path, its key, value), parents first.

    Iterative, so that depth costs no stack. The path reads like an attribute: ``config.layers[2].units``.
    Keys that are long or unprintable are shortened in it.
    """
    stack: list[tuple[str, str | None, Json]] = [(path, None, document)]
    while stack:
        where, key, value = stack.pop()
        yield where, key, value
        if isinstance(value, Mapping):
            children = [(f"{where}.{_label(name)}", name, item) for name, item in value.items()]
        elif isinstance(value, list):
            children = [(f"{where}[{index}]", key, item) for index, item in enumerate(value)]
        else:
            continue
        stack.extend(reversed(children))


def _label(name: str) -> str:
    return name if name.isidentifier() and len(name) <= 40 else shorten(name, 40)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateKeyError(shorten(next(name for name in names if names.count(name) > 1)))
    return document


def _depth(document: Json, limit: int) -> int:
    """The nesting of a document; counting stops one past ``limit``."""
    level, depth = [document], 0
    while level and depth <= limit:
        depth += 1
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return depth
