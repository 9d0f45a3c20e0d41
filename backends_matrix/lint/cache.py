"""Results of files that have not changed, kept between runs."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from backends_matrix.lint.engine import FileResult
from backends_matrix.lint.finding import Finding
from backends_matrix.lint.project import Project, digest
from portable_models.cache import cache_folder

KEPT = 20_000
"""Entries kept; the oldest go first."""


@functools.cache
def engine_digest() -> str:
    """A digest of the linter itself: results of another version are not used."""
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".json"):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


class Cache:
    """A folder with one entry for each file.

    An entry holds while the file, the linter, and every module that was read for the file are the same, and
    while each module name leads where it led.

    Args:
        folder: where entries are kept; None keeps none.
        project: tells where module names lead now.
    """

    def __init__(self, folder: Path | None, project: Project) -> None:
        self.folder = folder
        self.project = project
        self._digests: dict[str, str] = {}

    @classmethod
    def default_folder(cls) -> Path | None:
        """The folder in the project's cache; None where nothing is to be kept."""
        root = cache_folder()
        return None if root is None else root / "lint"

    def digest_of(self, path: str) -> str:
        """The digest of a file's content; empty where it cannot be read."""
        if path not in self._digests:
            try:
                self._digests[path] = digest(Path(path).read_bytes())
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def _entry(self, path: Path) -> Path | None:
        if self.folder is None:
            return None
        key = digest(f"{engine_digest()}\0{path.absolute()}".encode())
        return self.folder / f"{key}.json"

    def read(self, path: Path) -> FileResult | None:
        """The result for a file, if it still holds."""
        entry = self._entry(path)
        if entry is None:
            return None
        try:
            data = json.loads(entry.read_text(encoding="utf-8"))
            if data["digest"] != self.digest_of(str(path)):
                return None
            for name, root, where, content in data["consulted"]:
                found = self.project.locate(name, Path(root))
                if (None if found is None else str(found)) != where:
                    return None
                if where is not None and self.digest_of(where) != content:
                    return None
            findings = tuple(map(Finding.from_json, data["findings"]))
            return FileResult(str(path), findings)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, result: FileResult) -> None:
        """Keep a result; one that could not be read is tried again next time."""
        entry = self._entry(Path(result.path))
        if entry is None or result.error is not None:
            return
        data = {
            "digest": self.digest_of(result.path),
            "consulted": [
                (name, root, where, None if where is None else self.digest_of(where))
                for name, root, where in result.consulted
            ],
            "findings": [each.as_json() for each in result.findings],
        }
        temporary = entry.with_suffix(f".{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            entry.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(data), encoding="utf-8")
            temporary.replace(entry)

    def trim(self) -> None:
        """Delete the oldest entries beyond the number that is kept."""
        if self.folder is None or not self.folder.is_dir():
            return
        entries = list(self.folder.glob("*.json"))
        if len(entries) > KEPT:
            age: Callable[[Path], float] = lambda path: path.stat().st_mtime  # noqa: E731
            for path in sorted(entries, key=age)[:-KEPT]:
                with contextlib.suppress(OSError):
                    path.unlink()
