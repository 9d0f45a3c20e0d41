"""Reads the arrays of an ``.npz`` file, and unpickles nothing that is not trusted.

Object arrays in an ``.npz`` are pickles, and a pickle can run code. The file is read once; the SHA-256 of
those very bytes decides whether pickles in them may be read; even then only NumPy arrays and built-in
lists and numbers can come out. Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from portable_models.data.sources import KNOWN_ARCHIVES, DataError

#: Bytes that an untrusted file may hold, packed or unpacked; the real IMDB unpacks to 28 million.
UNTRUSTED_LIMIT: Final = 512 * 2**20

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    MemoryError,
)


@dataclass(frozen=True, eq=False)
class Archive:
    """A file of arrays, read once, whose arrays are unpacked one by one.

    Args:
        path: the file.
        sha256: of the bytes that the arrays are read from, hexadecimal.
        names: the arrays that it is known to hold.
    """

    path: Path
    sha256: str
    names: tuple[str, ...]
    _content: bytes
    _trusted: bool

    @property
    def identity(self) -> str:
        """What the file is: a known archive, or its name and the beginning of its SHA-256."""
        return KNOWN_ARCHIVES.get(self.sha256, f"{self.path.name}, SHA-256 {self.sha256[:16]}…")

    def array(self, name: str) -> NDArray[Any]:
        """One array, unpacked anew at every call: as lists, the reviews of IMDB take half a gigabyte.

        Raises:
            DataError: it is damaged, or pickled in a file that is not trusted.
        """
        with _damage_named(self.path):
            content = self._unpacked(name)
            array = _plain(name, content)
            if array is not None:
                return array
            if not self._trusted:
                every = [name for name in self.names if _plain(name, self._unpacked(name)) is None]
                raise DataError(_untrusted(self.path, self.sha256, every))
            return _unpickle(content)

    def _unpacked(self, name: str) -> bytes:
        with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
            members = _members(self.path, archive, (name,), trusted=self._trusted)
            return _unpacked(archive, members[name])


def read_archive(path: Path, names: tuple[str, ...], *, trust: bool = False) -> Archive:
    """Read an ``.npz`` file that holds the arrays called ``names``.

    Args:
        path: the file.
        names: the arrays wanted; others are not looked at.
        trust: read pickled arrays and any size, though the file's SHA-256 is not a known one.

    Raises:
        DataError: the file cannot be read, is damaged, lacks an array or is too large.
    """
    try:
        # Read once: what is hashed is what is loaded, whatever becomes of the file meanwhile.
        if not trust and path.stat().st_size > UNTRUSTED_LIMIT:
            raise DataError(_too_large(path, path.stat().st_size))
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    trusted = trust or sha256 in KNOWN_ARCHIVES
    with _damage_named(path), zipfile.ZipFile(io.BytesIO(content)) as archive:
        _members(path, archive, names, trusted=trusted)
    return Archive(path, sha256, names, content, trusted)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Whatever goes wrong while a file is read says what is wrong with the file."""
    try:
        yield
    except DataError:
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path} is not a whole .npz archive ({reason}); get the file again"
        ) from error


def _too_large(path: Path, size: int) -> str:
    return (
        f"{path} declares {size:,} bytes, more than the {UNTRUSTED_LIMIT:,} that are read from a file "
        "whose SHA-256 is not known; use --trust (in Python: trust=True) if you trust its maker"
    )


def _untrusted(path: Path, sha256: str, names: list[str]) -> str:
    return (
        f"{path} holds pickled arrays ({', '.join(names)}), which can run code when they are read, and its "
        f"SHA-256 {sha256} is not a known one; use --trust (in Python: trust=True) if you trust its maker"
    )


def _members(
    path: Path, archive: zipfile.ZipFile, names: tuple[str, ...], *, trusted: bool
) -> dict[str, zipfile.ZipInfo]:
    """The members that hold the arrays, checked by what the archive's directory says of them."""
    present = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    missing = [name for name in names if name not in present]
    if missing:
        holds = ", ".join(sorted(present)[:8]) or "nothing"
        raise DataError(
            f"{path} lacks {', '.join(missing)}; expected {', '.join(names)}, it holds {holds}"
        )
    members = {name: present[name] for name in names}
    size = sum(info.file_size for info in members.values())
    if not trusted and size > UNTRUSTED_LIMIT:
        raise DataError(_too_large(path, size))
    for info in members.values():
        # zipfile unpacks bzip2 and LZMA without a bound, whatever size is declared.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{info.filename} is compressed otherwise than NumPy does")
    return members


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes: never more than it declares, and checked against its CRC."""
    with archive.open(info) as member:
        content = member.read(info.file_size)
    if len(content) != info.file_size:
        raise EOFError(f"{info.filename} ends early")
    return content


def _header(content: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(content)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(content)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(content)
    raise ValueError(f"npy format {version[0]}.{version[1]} is not one of plain arrays")


def _plain(name: str, content: bytes) -> NDArray[Any] | None:
    """An array that needs no pickle, or None for one that does."""
    stream = io.BytesIO(content)
    shape, fortran_order, dtype = _header(stream)
    if dtype.hasobject:
        return None
    data = stream.read()
    # The shape is checked before anything of that size is made: a short file can declare a huge one.
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{name}.npy declares the shape {shape} but holds {len(data):,} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


class _NumpyUnpickler(pickle.Unpickler):
    """Builds NumPy arrays, built-in containers and numbers, and refuses every other name."""

    # Taken from NumPy's own reductions: the modules' names differ between NumPy versions.
    _FUNCTIONS: Final = {
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "_reconstruct": np.empty(0).__reduce__()[0],
        "_frombuffer": np.empty(1).__reduce_ex__(5)[0],
        "scalar": np.int64(0).__reduce__()[0],
    }

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in self._FUNCTIONS:
            return self._FUNCTIONS[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")


def _unpickle(content: bytes) -> NDArray[Any]:
    stream = io.BytesIO(content)
    shape, _, _ = _header(stream)
    array = _NumpyUnpickler(stream).load()
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(
            f"a pickled array of shape {shape} was expected, got {type(array).__name__}"
        )
    return array
