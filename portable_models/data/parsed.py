"""What was parsed once is kept as flat arrays, so that it need not be parsed again.

Only files whose SHA-256 is a known one are kept: what they say cannot change. A file of the cache is an
``.npz`` of plain numbers that is never unpickled; a damaged one is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portable_models.cache import cache_folder
from portable_models.data import archive
from portable_models.data.npz import write_npz
from portable_models.data.samples import Array
from portable_models.data.sources import KNOWN_ARCHIVES

Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Parsed:
    """What a file says, as flat arrays.

    Args:
        arrays: by name.
        identity: what the file is; see ``Archive``.
    """

    arrays: Arrays
    identity: str


def parsed_once(
    source: Path, form: str, parse: Callable[[], Parsed], valid: Callable[[Arrays], bool]
) -> Parsed:
    """What ``parse`` gives, kept from an earlier time where there was one.

    Args:
        source: the file that is parsed; its SHA-256 is part of the key.
        form: what is made of it and by which version of the parser, also part of the key.
        parse: reads the file.
        valid: whether arrays from the cache can be used.
    """
    folder = cache_folder()
    if folder is None:
        return parse()
    try:
        # The parser says what is wrong with a file that cannot be read, or is too large for one of ours.
        small = source.stat().st_size <= archive.UNTRUSTED_LIMIT
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest() if small else ""
    except OSError:
        return parse()
    if sha256 not in KNOWN_ARCHIVES:
        return parse()
    path = folder / f"{source.stem}-{sha256[:16]}-{form}.npz"
    kept = _read(path)
    if kept is not None and valid(kept):
        return Parsed(kept, KNOWN_ARCHIVES[sha256])
    parsed = parse()
    # A cache that cannot be written is no reason to fail.
    with contextlib.suppress(OSError):
        write_npz(path, parsed.arrays)
    return parsed


def _read(path: Path) -> Arrays | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
