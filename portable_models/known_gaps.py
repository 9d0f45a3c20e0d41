"""What one backend does otherwise than documented: data, each entry proven by a test."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class KnownGap:
    """A difference that is Keras's, not the model's.

    Args:
        id: short name.
        backends: the backends that show it; all three where it is Keras's own.
        thing: what it is about.
        reason: what happens, and what to do instead.
        link: the upstream issue or pull request, or "".
        layers: class names of layers, operations or losses that show it, or ``OPTIMIZER:LAYER``.
        checks: the checks of ``portable check`` that it makes fail.
        raises: what the exception says, as a regular expression, where it shows as one.
        raises_elsewhere: what the other backends' exception says, where these backends raise none.
    """

    id: str
    backends: tuple[str, ...]
    thing: str
    reason: str
    link: str = ""
    layers: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    raises: str = ""
    raises_elsewhere: str = ""


def known_gaps(backend: str | None = None) -> tuple[KnownGap, ...]:
    """The known gaps of one backend, or of all.

    Example:
        >>> [gap.id for gap in known_gaps("tensorflow") if len(gap.backends) == 1][:3]
        ['crossentropy-from-activation', 'focal-from-logits', 'logits-of-an-activation']
    """
    text = resources.files("portable_models").joinpath("known_gaps.toml").read_text("utf-8")
    tables: list[dict[str, Any]] = tomllib.loads(text)["gap"]
    entries = (_gap(table) for table in tables)
    return tuple(gap for gap in entries if backend is None or backend in gap.backends)


def _gap(table: dict[str, Any]) -> KnownGap:
    return KnownGap(**{key: _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
