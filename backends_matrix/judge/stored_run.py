"""A finished run, read back from its folder's ``report.json``: a file that may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends_matrix.errors import CallError
from backends_matrix.report.json_file import ReportError, read
from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult, Status, checked_numbers


@dataclass(frozen=True)
class Place:
    """A place in the matrix, compared with the same place in another run."""

    experiment: str
    variant: str
    backend: str
    pipeline: str

    @property
    def title(self) -> str:
        """The place's name for people."""
        extra = "" if self.pipeline == "numpy" else f" ({self.pipeline})"
        return f"{self.experiment}/{self.variant} on {self.backend}{extra}"


@dataclass(frozen=True)
class StoredRun:
    """A run of ``portable run`` or ``portable matrix``.

    Args:
        name: what it is called in a comparison; different for each run.
        directory: the folder as it was given.
        document: its ``report.json``, which the schema has been checked of.
        results: a result for each cell; one with numbers that are not finite is not ok.
    """

    name: str
    directory: Path
    document: Mapping[str, Any]
    results: tuple[CellResult, ...]

    @property
    def originals(self) -> dict[Place, CellResult]:
        """The results that are no replicas."""
        return {place(each): each for each in self.results if not each.cell.replica}

    @property
    def environment(self) -> dict[str, str]:
        """Every setting that the run recorded, by a name for people."""
        held = dict(self.document["environment"])
        backends = held.pop("backends")
        project = self.document["project"]
        return dict([*_flat({project["name"]: project["version"], **held}), *_flat(backends)])


def place(result: CellResult) -> Place:
    """The place of a result."""
    cell = result.cell
    return Place(cell.experiment, cell.variant, cell.backend, cell.pipeline)


def read_runs(first: Path, second: Path) -> tuple[StoredRun, StoredRun]:
    """Two runs to be compared.

    Raises:
        CallError: a folder holds no valid run, or both are the same.
    """
    if first.resolve() == second.resolve():
        raise CallError(
            f"{first} and {second} are the same folder: name the folders of two runs to compare"
        )
    names = _names(first, second)
    return _read_run(first, names[0]), _read_run(second, names[1])


def _names(first: Path, second: Path) -> tuple[str, str]:
    """The last parts of the two paths, as many as it takes to tell them apart."""
    ours, theirs = first.resolve().parts, second.resolve().parts
    for length in range(1, max(len(ours), len(theirs))):
        pair = "/".join(ours[-length:]), "/".join(theirs[-length:])
        if pair[0] != pair[1]:
            return pair
    return str(first.resolve()), str(second.resolve())


def _read_run(directory: Path, name: str) -> StoredRun:
    try:
        document = read(directory)
    except ReportError as error:
        raise CallError(str(error)) from None
    if "runs" in document:
        raise CallError(
            f"{directory} holds a comparison of two runs; name folders that "
            "'portable matrix --out DIR' or 'portable run --out DIR' has written"
        )
    results = tuple(_result(entry) for entry in document["cells"])
    seen: set[Cell] = set()
    for each in results:
        if each.cell in seen:
            raise CallError(f"{directory} holds two results of {each.cell.title}; expected one")
        seen.add(each.cell)
    return StoredRun(name, directory, document, results)


def _result(entry: Mapping[str, Any]) -> CellResult:
    cell = Cell(
        **{
            name: entry[name]
            for name in (
                "experiment",
                "variant",
                "backend",
                "pipeline",
                "device",
                "engine",
                "replica",
                "data",
                "seed",
            )
            if name in entry
        }
    )
    outcome = {name: entry[name] for name in ("history", "final", "digests")}
    outcome |= {
        "samples": entry.get("samples", {}),
        "compile_seconds": entry.get("compile_seconds"),
    }
    found = CellResult(
        cell,
        Status(entry["status"]),
        entry["reason"] or "",
        entry["seconds"],
        entry["peak_memory_bytes"],
        outcome,
        device_peak_memory_bytes=entry.get("device_peak_memory_bytes"),
    )
    return checked_numbers(found)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, content in settings.items():
        if isinstance(content, Mapping):
            found += _flat(content, f"{prefix}{key} ")
        else:
            found.append((prefix + str(key), str(content)))
    return found
