"""Digests of what a cell ran: sources, model, initial weights, data and recipe.

A result of an earlier run counts for ``--resume`` only if all of this is still the same. A digest of a
file is compared by the parent; the model is built anew by one worker.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends_matrix.run.error_text import is_user_file

Identity = dict[str, Any]
"""``sources`` (path -> digest), and the digests ``project``, ``model``, ``weights``, ``data``, ``recipe``."""

BUILT = {
    "model": "the model's configuration",
    "weights": "the initial weights",
    "data": "the data",
    "recipe": "the recipe",
}
"""Parts of an identity that a worker finds out by building the model, in words."""

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LARGEST_SOURCE = 64 * 2**20


def digest_of(value: Any) -> str:
    """SHA-256 of plain values; an object counts by its ``repr`` without memory addresses."""
    text = json.dumps(value, sort_keys=True, default=lambda each: _ADDRESS.sub("", repr(each)))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def digest_sources(study: str) -> dict[str, str]:
    """The digests of the loaded files of a user's code.

    Those are the files outside of Python's library and of installed packages, and all of the package that the
    study is in, wherever that is installed.

    Args:
        study: the module of the study, ``package.module``.
    """
    package = study.partition(".")[0]
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in (
            "portable_models",
            "backends_matrix",
        ):
            continue
        if not Path(file).is_absolute():
            continue  # no module has one but those that are made up, as torch.classes in "_classes.py"
        path = Path(file)
        if name.partition(".")[0] == package or is_user_file(path):
            found[str(path)] = digest_file(path)
    return found


def digest_file(path: Path) -> str:
    """SHA-256 of a file's content; empty if it cannot be read."""
    try:
        if path.stat().st_size > _LARGEST_SOURCE:
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


@functools.cache
def digest_project() -> str:
    """SHA-256 over this project's own code that a cell's numbers rest on."""
    run = Path(__file__).parent
    library = run.parents[1] / "portable_models"
    whole = hashlib.sha256()
    for path in sorted([*library.rglob("*.py"), *run.rglob("*.py")]):
        whole.update(f"{path.name} {digest_file(path)}\n".encode())
    return whole.hexdigest()


def find_changes(kept: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[str]:
    """Why a stored result does not count any more, in words; empty if it does.

    Args:
        kept: the identity in the result.
        now: what a worker finds today, without ``sources`` and ``project``; None if that is not known.
    """
    sources = kept.get("sources")
    if not isinstance(sources, Mapping) or not kept.get("project"):
        return ["the earlier result does not say what it ran"]
    changed = []
    if kept["project"] != digest_project():
        changed.append("portable-models has changed")
    changed += [
        f"{Path(path).name} has changed"
        for path, digest in sources.items()
        if not digest or digest_file(Path(path)) != digest
    ]
    if now is None:
        changed.append("its model could not be built to compare it")
    else:
        changed += [
            f"{words} changed" for part, words in BUILT.items() if kept.get(part) != now.get(part)
        ]
    return changed
