"""Finds and reads modules: the user's package and installed source files, by name, without importing."""

from __future__ import annotations

import hashlib
import sys
import tokenize
from collections.abc import Sequence
from pathlib import Path

from backends_matrix.lint.modules import Module, SourceError

OPAQUE = frozenset(
    {
        *{"keras", "tensorflow", "tf_keras", "jax", "jaxlib", "torch", "numpy", "scipy", "pandas"},
        *sys.stdlib_module_names,
    }
)
"""Packages that are known by their names; their sources are not read."""

LARGEST = 2_000_000
"""Bytes of a source file; larger ones are data that happens to be Python."""


def read_text(path: Path) -> str:
    """The text of a Python file, in its declared encoding.

    Raises:
        SourceError: it cannot be read or decoded, or is too large.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(str(path), 1, f"is larger than {LARGEST:,} bytes")
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise SourceError(str(path), 1, f"cannot be read: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(str(path), 1, f"cannot be decoded: {error}") from None


def import_root(path: Path) -> Path:
    """The folder from which a file is imported: above its outermost package.

    A folder without ``__init__.py`` inside of a package belongs to it, as Python sees it too.
    """
    folder = path.parent
    while folder.parent != folder and (
        (folder / "__init__.py").is_file() or (folder.parent / "__init__.py").is_file()
    ):
        folder = folder.parent
    return folder


def module_name(path: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(import_root(path)).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def digest(data: bytes) -> str:
    """A digest of a file's content."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class Project:
    """The modules that a run has read, and where others are looked for.

    Args:
        search: folders of installed packages; by default those of this interpreter.
    """

    def __init__(self, search: Sequence[str] | None = None) -> None:
        self.search = [Path(each) for each in (sys.path if search is None else search) if each]
        self._paths: dict[tuple[str, Path], Path | None] = {}
        self._modules: dict[Path, Module | None] = {}
        self.consulted: dict[tuple[str, str], str | None] = {}
        """Module names that the current file asked for, from which root, and where they were found."""

    def add(self, module: Module) -> None:
        """Make a module known that was read already."""
        self._modules[module.path] = module

    def locate(self, name: str, root: Path) -> Path | None:
        """The file of a module, searched from a root and then among the installed packages."""
        key = (name, root)
        if key not in self._paths:
            self._paths[key] = self._locate(name, root)
        return self._paths[key]

    def _locate(self, name: str, root: Path) -> Path | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        for folder in (root, *self.search):
            stem = folder.joinpath(*parts)
            if stem.with_suffix(".py").is_file():
                return stem.with_suffix(".py")
            if (stem / "__init__.py").is_file():
                return stem / "__init__.py"
        return None

    def find(self, name: str, asking: Module) -> Module | None:
        """The module of a name as another module sees it; None where it cannot be read, or is opaque."""
        if not name or name.partition(".")[0] in OPAQUE:
            return None
        root = import_root(asking.path)
        path = self.locate(name, root)
        self.consulted[name, str(root)] = None if path is None else str(path)
        return None if path is None else self.read(path, name)

    def read(self, path: Path, name: str) -> Module | None:
        """Read a module once; None where it is not Python."""
        if path not in self._modules:
            try:
                text = read_text(path)
                self._modules[path] = Module(path, name, text, path.name == "__init__.py")
            except SourceError:
                self._modules[path] = None
        return self._modules[path]

    def starting_with(self, name: str, asking: Module) -> tuple[Module, list[str]] | None:
        """The module of the longest beginning of a dotted name, and what is left of the name."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            module = self.find(".".join(parts[:length]), asking)
            if module is not None:
                return module, parts[length:]
        return None
