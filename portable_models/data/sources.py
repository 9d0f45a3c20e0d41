"""Where the files of a data set are looked for: a path, a folder of one's own, Keras's cache, a download."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

SAMPLE: Final = "sample"
FULL: Final = "full"
DATA_VARIABLE: Final = "PORTABLE_MODELS_DATA"

Source: TypeAlias = str | os.PathLike[str]


class DataError(ValueError):
    """A data set cannot be had: unknown, not found, damaged or not trusted. The message is one line."""


@dataclass(frozen=True)
class Published:
    """A file as Keras publishes it.

    Args:
        file: its name, in a folder and in Keras's cache.
        url: where Keras downloads it from.
        checksum: SHA-256 (64 digits) or MD5 (32 digits) that ``keras.datasets`` checks.
    """

    file: str
    url: str
    checksum: str


_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _published(file: str, checksum: str) -> Published:
    return Published(file, _ORIGIN + file, checksum)


FILES: Final[Mapping[str, Published]] = MappingProxyType(
    {
        "imdb": _published(
            "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
        ),
        "boston": _published(
            "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
        ),
    }
)
WORD_INDEX: Final = _published("imdb_word_index.json", "bfafd718b763782e994055a2d397834f")

#: SHA-256 of the archives whose content is known, and what they are. Only these are unpickled unasked.
KNOWN_ARCHIVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        FILES["imdb"].checksum: "imdb.npz as Keras publishes it",
        FILES["boston"].checksum: "boston_housing.npz as Keras publishes it",
        "cc1f1c00fbf35dab99044366da87c3e16f533d85833d4e1486e15379419b73c5": (
            "imdb.npz rebuilt from the raw reviews"
        ),
        "0c1bbf0b79b8c2996afa31b259ca6cff56f5a6f72501358901ae5aa8fadd6e2f": (
            "boston_housing.npz made from scikit-learn 1.1.3's table"
        ),
    }
)


def kind_of(source: Source) -> str:
    """How a source was asked for: ``"sample"``, ``"full"`` or ``"path"``."""
    return str(source) if source in (SAMPLE, FULL) else "path"


def find(name: str, source: Source) -> Path:
    """The archive of a data set.

    Args:
        name: ``"imdb"`` or ``"boston"``.
        source: ``"full"``, or the path of the archive or of a folder that holds it. ``"full"`` looks in
            the folder that ``$PORTABLE_MODELS_DATA`` names, then in Keras's cache, then downloads the file
            into that cache as ``keras.datasets`` does (which checks the file's hash).

    Raises:
        DataError: there is no such file.
    """
    if kind_of(source) == FULL:
        return _search(FILES[name])
    file = FILES[name].file
    path = Path(source).expanduser()
    if path.is_dir():
        if not (path / file).is_file():
            raise DataError(f"the folder {path} holds no {file}, which the {name} data set needs")
        return path / file
    if not path.is_file():
        raise DataError(
            f"{name}: there is no file or folder {path}; expected 'sample', 'full', "
            f"the path of {file} or of a folder that holds it"
        )
    return path


def keras_cache() -> Path:
    """The folder in which Keras keeps data sets: ``datasets`` in ``$KERAS_HOME`` or ``~/.keras``."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def _search(published: Published) -> Path:
    folder = os.environ.get(DATA_VARIABLE)
    if folder and not Path(folder).expanduser().is_dir():
        raise DataError(f"{DATA_VARIABLE} must name a folder; it names {folder}, which is none")
    own = [Path(folder).expanduser()] if folder else []
    for place in (*own, keras_cache()):
        if (place / published.file).is_file():
            return place / published.file
    try:
        return download(published)
    except DataError as error:
        raise DataError(
            f"{published.file} was not found: looked in "
            f"{DATA_VARIABLE} ({folder or 'not set'}) and in {keras_cache()}, then {error}. "
            f"Put the file into a folder and set {DATA_VARIABLE} to that folder, "
            "give its path as --data, or use --data sample"
        ) from error


def download(published: Published) -> Path:
    """Download a file into Keras's cache through Keras, which checks its hash.

    Each process downloads into a folder of its own and then moves the file to its place in one step, so
    that processes which start together never read a half-written file.

    Raises:
        DataError: Keras cannot be imported, the download failed, or the hash is another.
    """
    mine = f"portable-models-{os.getpid()}"
    target = keras_cache() / mine / published.file
    try:
        import keras

        # Keras reports the download on standard output, which a worker needs for its results.
        with contextlib.redirect_stdout(sys.stderr):
            target = Path(
                keras.utils.get_file(
                    published.file,
                    published.url,
                    file_hash=published.checksum,
                    cache_subdir=str(Path("datasets") / mine),
                )
            )
        return target.replace(target.parents[1] / published.file)
    except Exception as error:  # get_file raises bare Exception when the network fails
        reason = " ".join(str(error).split())
        raise DataError(f"the download from {published.url} failed ({reason})") from error
    finally:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
            target.parent.rmdir()
