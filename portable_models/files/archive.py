"""The zip around a model: read with suspicion, written reproducibly.

A ``.keras`` file is a zip of ``metadata.json``, ``config.json``, ``model.weights.h5`` and, for
layers with vocabularies, files under ``assets/``
(https://keras.io/guides/serialization_and_saving/#what-is-in-a-keras-file is the public
description). Members are read into memory, one after the other; nothing is extracted to disk.
"""

from __future__ import annotations

import secrets
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits, one_line, shorten

METADATA = "metadata.json"
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets/"

Members = dict[str, bytes]

_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# The oldest time that a zip can hold: a file's bytes must not depend on when it was written.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_archive(path: Path, limits: Limits = DEFAULT_LIMITS) -> Members:
    """Read every member of a ``.keras`` file into memory after checking names, kinds and sizes.

    Args:
        path: the file.
        limits: bounds on members and sizes.

    Returns:
        The members' bytes by name, in the order of the archive.

    Raises:
        FileError: the file is missing, is not a zip or is cut short; a member is missing, is there
            twice, is a link, is encrypted, leaves the archive by its name, is none that Keras
            writes, or declares or holds more bytes than ``limits`` allow.
    """
    if not path.is_file():
        raise FileError(f"{path}: no such file; expected a .keras file")
    size = path.stat().st_size
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
            if start == b"\x89HDF":
                raise FileError(
                    f"{path}: a file of the HDF5 format (.h5), not a .keras file; open it "
                    "where it was written, keras.saving.load_model(path), and save it again: "
                    "model.save('model.keras')"
                )
            if start != b"PK\x03\x04":
                raise FileError(
                    f"{path}: not a .keras file; expected a zip archive, but it does not begin "
                    "like one"
                )
            with zipfile.ZipFile(stream) as archive:
                _check_directory(archive, path, size, limits)
                return {
                    info.filename: _read_member(archive, info, path)
                    for info in archive.infolist()
                    if not info.is_dir()
                }
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise FileError(
            f"{path}: the archive is damaged or cut short ({one_line(str(error), 120)}); "
            "write or download the file again"
        ) from error


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members as a ``.keras`` file, whole or not at all; equal members give equal bytes.

    Raises:
        FileError: the name does not end in ``.keras``, or the folder cannot be written to.
    """
    if path.suffix != ".keras":
        raise FileError(f"{path}: expected a name that ends in .keras; Keras opens no other")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for member, content in members.items():
                info = zipfile.ZipInfo(member, date_time=_EPOCH)
                info.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(info, content)
        temporary.replace(path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_directory(archive: zipfile.ZipFile, path: Path, size: int, limits: Limits) -> None:
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise FileError(f"{path}: {len(infos)} members; at most {limits.members} are accepted")
    seen: set[str] = set()
    for info in infos:
        _check_member(info, path, limits)
        # Case is folded because two such names are one file on some systems.
        if info.filename.casefold() in seen:
            raise FileError(f"{path}: the member {shorten(info.filename)} is there twice")
        seen.add(info.filename.casefold())
    if sum(info.compress_size for info in infos) > size:
        raise FileError(
            f"{path}: members overlap (a zip bomb): they hold more than the file's {size} bytes"
        )
    total = sum(info.file_size for info in infos)
    if total > limits.total_bytes:
        raise FileError(
            f"{path}: declares {total} bytes; at most {limits.total_bytes} are accepted (a zip "
            "bomb?)"
        )
    for name in (METADATA, CONFIG, WEIGHTS):
        if name not in archive.namelist():
            raise FileError(f"{path}: not a whole .keras file; the member {name} is missing")


def _check_member(info: zipfile.ZipInfo, path: Path, limits: Limits) -> None:
    # `filename` is cut at a NUL and has the system's separators replaced; the raw name is judged.
    name = info.orig_filename
    where = f"{path}: the member {shorten(name)}"
    if (
        name != info.filename
        or not {"", ".", ".."}.isdisjoint(name.removesuffix("/").split("/"))
        or "\\" in name
        or ":" in name
        or not name.isprintable()
    ):
        raise FileError(f"{where} has a name that could leave the archive")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FileError(f"{where} is a link or a device; expected plain files")
    if name not in (METADATA, CONFIG, WEIGHTS) and not name.startswith(ASSETS):
        raise FileError(
            f"{where} is none that Keras writes; expected {METADATA}, {CONFIG}, {WEIGHTS} and "
            f"{ASSETS}…"
        )
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise FileError(f"{where} is encrypted or compressed in a way that Keras does not write")
    if (
        info.file_size > limits.free_bytes
        and info.file_size > limits.expansion * info.compress_size
    ):
        raise FileError(
            f"{where} declares {info.file_size} bytes but stores {info.compress_size}: a zip bomb"
        )
    if name in (METADATA, CONFIG) and info.file_size > limits.document_bytes:
        raise FileError(f"{where} is larger than {limits.document_bytes} bytes")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    """The member's bytes; what the directory declared is not believed but counted."""
    content = bytearray()
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            content += chunk
            if len(content) > info.file_size:
                break
    if len(content) != info.file_size:
        raise FileError(
            f"{path}: the member {shorten(info.filename)} declares {info.file_size} bytes "
            f"but holds {'more' if len(content) > info.file_size else len(content)}"
        )
    return bytes(content)
