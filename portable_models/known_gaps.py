"""What one backend does otherwise than documented: data, each entry proven by a test."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class KnownGap:
    """A difference that is Keras's, not the model's.

    Args:
        id: short name.
        backends: the backends that show it; all three where it is Keras's own.
        thing: what it is about.
        reason: what happens, and what to do instead.
        link: the upstream issue or pull request, or "".
    """

    id: str
    backends: tuple[str, ...]
    thing: str
    reason: str
    link: str = ""


def known_gaps(backend: str | None = None) -> tuple[KnownGap, ...]:
    """The known gaps of one backend, or of all.

    Example:
        >>> [gap.id for gap in known_gaps("tensorflow") if len(gap.backends) == 1][:3]
        ['crossentropy-from-activation', 'focal-from-logits', 'logits-of-an-activation']
    """
    text = resources.files("portable_models").joinpath("known_gaps.toml").read_text("utf-8")
    entries = (
        KnownGap(**{**entry, "backends": tuple(entry["backends"])})
        for entry in tomllib.loads(text)["gap"]
    )
    return tuple(gap for gap in entries if backend is None or backend in gap.backends)
