"""The folder of a run: checked before anything starts, and never overwritten."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from backends_matrix.errors import CallError
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import package_version
from backends_matrix.run.result import CellResult, read_result

MARKER = "run.json"


def prepare(out: Path, *, resume: bool, command: list[str]) -> None:
    """Make the folder ready for a run.

    An earlier run's files are moved to ``earlier-1``, ``earlier-2`` …, unless it is resumed.

    Raises:
        CallError: it cannot be written to, or holds files that are no run of this project.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        present = sorted(path for path in out.iterdir() if not path.name.startswith("earlier-"))
        if present and not (out / MARKER).exists():
            raise CallError(
                f"--out {out} holds other files ({present[0].name}, …); give an empty or new folder"
            )
        if present and not resume:
            _move_aside(out, present)
        partial = out / f".{MARKER}.{os.getpid()}"
        partial.write_text(json.dumps({"command": command}), encoding="utf-8")
        partial.replace(out / MARKER)
        (out / "cells").mkdir(exist_ok=True)
    except OSError as error:
        raise CallError(
            f"--out {out} cannot be written to ({error.strerror or error}); give another folder"
        ) from None


def finished(cells: Iterable[Cell], folder: Path) -> list[CellResult]:
    """The results under ``folder`` that still count for these cells.

    A result counts if it is whole, belongs to the very same cell, ended well, and was made with the
    versions of Keras and the framework that are installed now.
    """
    results = (read_result(cell, folder) for cell in cells)
    return [result for result in results if result.ok and _same_versions(result)]


def _same_versions(result: CellResult) -> bool:
    packages = {"keras": "keras", result.cell.backend: result.cell.backend}
    return all(
        result.environment.get(key) == package_version(name) for key, name in packages.items()
    )


def _move_aside(out: Path, present: list[Path]) -> None:
    number = 1
    while (out / f"earlier-{number}").exists():
        number += 1
    target = out / f"earlier-{number}"
    target.mkdir()
    for path in present:
        shutil.move(path, target / path.name)
