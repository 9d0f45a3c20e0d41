"""Nothing half-written: an artifact grows beside its place and is moved there when it is proven."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portable_models.export.errors import ExportError

CARD_SUFFIXES = (".card.json", ".card.md")


def check_free(path: Path, *, force: bool) -> None:
    """Check that something may be written at ``path``, before any work is done.

    Raises:
        ExportError: ``path`` exists and ``force`` is off, or its folder is not there or not writable.
    """
    parent = path.absolute().parent
    if not parent.is_dir():
        raise ExportError(f"the folder {parent} does not exist; make it first")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise ExportError(f"the folder {parent} cannot be written to; choose another --out")
    if force:
        return
    for place in (path, *cards(path)):
        if place.exists() or place.is_symlink():
            raise ExportError(f"{place} exists already; remove it or say --force to replace it")


def cards(path: Path) -> tuple[Path, Path]:
    """Where the model cards of the artifact at ``path`` lie: JSON, Markdown."""
    as_json, as_markdown = (path.with_name(path.name + suffix) for suffix in CARD_SUFFIXES)
    return as_json, as_markdown


@contextlib.contextmanager
def staging(path: Path) -> Iterator[Path]:
    """A new empty folder on the same disk as ``path``, gone afterwards whatever happens."""
    folder = tempfile.mkdtemp(
        prefix=f".{path.name}.", suffix=".partial", dir=path.absolute().parent
    )
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Path, path: Path) -> None:
    """Move the artifact and its cards from the staging folder to their place, replacing what is there.

    The old artifact is moved aside first and goes when the new one stands, so that a failure in between
    (a full disk, a lost right) brings it back.

    Args:
        staged: the artifact inside its staging folder, its cards beside it.
        path: where it goes.

    Raises:
        ExportError: the system refused a move; what was there before is there again.
    """
    aside = staged.parent / "replaced"
    aside.mkdir()
    moves = list(zip((staged, *cards(staged)), (path, *cards(path)), strict=True))
    done: list[Path] = []
    try:
        for source, place in moves:
            if place.exists() or place.is_symlink():
                place.rename(aside / place.name)
            done.append(place)
            source.rename(place)
    except BaseException as error:
        for place in done:
            _remove(place)
            if (aside / place.name).exists():
                (aside / place.name).rename(place)
        if isinstance(error, OSError):
            raise ExportError(f"cannot put the artifact at {path}: {error.strerror}") from error
        raise


def inventory(artifact: Path) -> dict[str, dict[str, object]]:
    """Path relative to the artifact's folder -> size in bytes and SHA-256, of every file."""
    files = (
        sorted(file for file in artifact.rglob("*") if file.is_file())
        if artifact.is_dir()
        else [artifact]
    )
    return {
        file.relative_to(artifact.parent).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in files
    }


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
