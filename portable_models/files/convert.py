"""A foreign ``.keras`` file made neutral, without building the model."""

from __future__ import annotations

from pathlib import Path

from portable_models.files.archive import write_archive
from portable_models.files.contents import Contents, StrPath, describe
from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits
from portable_models.files.neutral import Change, seeds_in
from portable_models.files.passport import Passport, own_versions, sign

_COPIED = ("keras_version", "date_saved")


def convert(
    source: StrPath,
    destination: StrPath,
    *,
    allow: tuple[str, ...] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> list[Change]:
    """Read a ``.keras`` file of any backend and write it so that every backend reads it alike.

    Weights and optimizer state are copied byte by byte. No framework is needed or imported.

    Args:
        source: a ``.keras`` file written by Keras 3, or a neutral one (which keeps what it says of itself).
        destination: where the neutral file goes; its name ends in ``.keras``. One that is there is replaced.
        allow: names of packages whose objects the file may hold, besides Keras's and this project's.
        limits: bounds on sizes.

    Returns:
        What was changed, and what could not be carried.

    Raises:
        FileError: the source is refused, or the destination cannot be written. Nothing is left behind.
    """
    path = Path(destination)
    if path.suffix != ".keras":
        raise FileError(f"{path}: expected a name that ends in .keras; Keras opens no other")
    contents = describe(source, allow=allow, limits=limits)
    write_archive(path, sign(contents.members, contents.metadata, _passport(contents)))
    return contents.changes + _not_carried(contents)


def _passport(contents: Contents) -> Passport:
    if contents.passport is not None:
        return contents.passport
    return Passport(
        backend=None,
        versions=own_versions(),
        converted_from={name: contents.metadata.get(name) for name in _COPIED},
    )


def _not_carried(contents: Contents) -> list[Change]:
    """What a reader of the list must know, although nothing was changed."""
    notes = [Change("note: weights", note, "kept") for note in contents.weights.notes]
    if contents.passport is None and seeds_in(contents.config):
        notes.append(
            Change(
                "note: seed generators",
                "not in a file that plain Keras wrote",
                "not in the file; resumed training draws its dropout masks from the start",
            )
        )
    return notes
