"""Resume a run: which finished cells still count, and checkpoints inside of a cell."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import package_version
from backends_matrix.run.identity import Identity, find_changes
from backends_matrix.run.result import CellResult, read_result

_NAMED = 3


@dataclass
class Resumed:
    """The cells of an earlier run.

    Args:
        kept: results that still count.
        changed: cells whose earlier result does not count any more, and why.
        missing: cells without an earlier result that ended well.
    """

    kept: list[CellResult] = field(default_factory=list)
    changed: dict[Cell, list[str]] = field(default_factory=dict)
    missing: list[Cell] = field(default_factory=list)

    def to_text(self) -> str:
        """The numbers of kept and new cells, and why cells are new."""
        new = len(self.changed) + len(self.missing)
        text = f"kept {_cells(len(self.kept))} of the earlier run"
        if not new:
            return text
        reasons = [f"{len(self.missing)} had not finished"] if self.missing else []
        by_reason: dict[str, int] = {}
        for changes in self.changed.values():
            for change in changes:
                by_reason[change] = by_reason.get(change, 0) + 1
        named = sorted(by_reason, key=lambda reason: -by_reason[reason])
        reasons += named[:_NAMED]
        if len(named) > _NAMED:
            reasons.append(f"{len(named) - _NAMED} more changes")
        return f"{text}, {new} {'is' if new == 1 else 'are'} new because {'; '.join(reasons)}"


def find_finished(
    cells: Iterable[Cell],
    folder: Path,
    identities: Mapping[str, Mapping[str, Identity]],
    setup: Mapping[str, str],
) -> Resumed:
    """Sort cells by whether their earlier result still counts.

    A result counts if it is whole, belongs to the very same cell, ended well, was made with the versions
    of Keras and the framework that are installed now, and if what it ran is the same as now.

    Args:
        cells: the cells of this run.
        folder: the cells' results.
        identities: experiment -> variant -> what a worker finds of it today.
        setup: backend -> function that its worker calls.
    """
    found = Resumed()
    for cell in cells:
        result = read_result(cell, folder)
        if not result.comparable:
            found.missing.append(cell)
            continue
        now = identities.get(cell.experiment, {}).get(cell.variant)
        changes = _changed_versions(result)
        if result.environment.get("setup", "") != setup.get(cell.backend, ""):
            changes.append("--setup changed")
        changes += find_changes(result.identity, now)
        if changes:
            found.changed[cell] = changes
        else:
            found.kept.append(result)
    return found


def _changed_versions(result: CellResult) -> list[str]:
    packages = {"keras": "keras", result.cell.backend: result.cell.backend}
    return [
        f"another version of {name} is installed"
        for key, name in packages.items()
        if result.environment.get(key) != package_version(name)
    ]


def _cells(number: int) -> str:
    return f"{number} cell" if number == 1 else f"{number} cells"


@contextlib.contextmanager
def keep_checkpoints(
    folder: Path, checkpoint: int | None, identity: Sequence[Any]
) -> Iterator[None]:
    """Write a checkpoint of the cell's trainings every so many epochs, and continue from an earlier one.

    Args:
        folder: the cell's folder; its checkpoints are removed once the cell is done.
        checkpoint: epochs between two checkpoints; None writes none.
        identity: versions, settings and sources; checkpoints of others are ignored.
    """
    if checkpoint is None:
        yield
        return
    from portable_models.training.resuming import trainings_kept

    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    kept = folder / f"checkpoints-{digest[:8]}"
    with trainings_kept(kept, checkpoint):
        yield
    shutil.rmtree(kept, ignore_errors=True)
