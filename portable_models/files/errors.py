"""The one error of this folder, and the bounds that a file is held to."""

from __future__ import annotations

from dataclasses import dataclass


class FileError(ValueError):
    """A model file is refused, with the reason in one line; nothing of it was executed or kept."""


@dataclass(frozen=True)
class Limits:
    """Bounds on what a ``.keras`` file may declare, before any of it is believed.

    Keras stores members uncompressed, and deflate cannot exceed 1032:1, so what expands a hundred
    times is a bomb and not a model. Raise a limit for a model that is honestly that large.

    Args:
        total_bytes: all members together, uncompressed.
        document_bytes: ``config.json`` and ``metadata.json``, each.
        expansion: uncompressed bytes for each stored byte (zip members, HDF5 datasets).
        free_bytes: what may expand without being counted against ``expansion``.
        members: number of members in the archive.
        objects: number of groups and datasets in the weights.
        depth: nesting of JSON documents and of HDF5 groups.
        dimension: the largest integer that may stand for a size in the configuration.
    """

    total_bytes: int = 16 << 30
    document_bytes: int = 64 << 20
    expansion: int = 100
    free_bytes: int = 8 << 20
    members: int = 10_000
    objects: int = 1_000_000
    depth: int = 150
    dimension: int = 2**31 - 1


DEFAULT_LIMITS = Limits()


def shorten(value: object, length: int = 80) -> str:
    """A value as text for a one-line message: printable, and not longer than ``length`` characters."""
    text = ascii(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def one_line(text: str, length: int = 400) -> str:
    """A message of another library as one printable line of at most ``length`` characters."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= length else f"{words[: length - 1]}…"
