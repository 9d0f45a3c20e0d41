"""The report's document as typed records, its text made safe to show anywhere."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from backends_matrix.report.side_by_side import side_by_side
from portable_models.plots import Figure, History

# Control characters, which could drive a terminal and which XML forbids, lone surrogates, which no
# encoding holds, and the marks that turn the direction of the text around.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)
LONGEST_TEXT = 2000
"""Characters of one text; an exception may quote a whole array."""

_Record = TypeVar("_Record")


class Verdict(StrEnum):
    """The verdict of a comparison."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True)
class Cell:
    """One variant on one backend, pipeline, device and engine."""

    experiment: str
    variant: str
    backend: str
    pipeline: str
    device: str
    engine: str
    replica: int
    status: str
    reason: str
    seconds: float | None
    peak_memory_bytes: int | None
    history: History
    final: Mapping[str, float | None]
    compile_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """True where the cell has results, all of them finite numbers."""
        return self.status == "ok"

    def is_failure(self, compared: Collection[tuple[str, str]]) -> bool:
        """True for a cell without numbers, or without finite ones in a variant that is not ``compared``."""
        diverged = self.status == "diverged" and (self.experiment, self.variant) in compared
        return not (self.ok or diverged)


@dataclass(frozen=True)
class Comparison:
    """One quantity of one backend against the reference's, at one epoch."""

    level: int
    experiment: str
    variant: str
    quantity: str
    epoch: int | None
    reference: str
    backend: str
    pipeline: str
    difference: float | None
    tolerance: float | None
    smallest_passing: float | None
    verdict: Verdict
    why: str

    @property
    def share(self) -> float:
        """Difference divided by tolerance; infinite where any difference is too much."""
        if self.difference is None or self.tolerance is None:
            return math.inf if self.verdict is Verdict.DIFFERS else 0.0
        if self.tolerance == 0:
            return math.inf if self.difference else 0.0
        return abs(self.difference) / self.tolerance


@dataclass(frozen=True)
class Claim:
    """A published finding, checked on one backend; ``holds`` is None where it was not evaluated."""

    experiment: str
    statement: str
    published: str
    backend: str
    measured: str
    holds: bool | None
    reason: str
    required: bool = False


@dataclass(frozen=True)
class Explanation:
    """The kind of difference that a backend shows in a variant; ``sentence`` is for people."""

    experiment: str
    variant: str
    backend: str
    kind: str
    sentence: str
    epoch: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Example:
    """A decoded sample and a backend's prediction."""

    experiment: str
    backend: str
    text: str
    probability: float | None
    label: float | None


@dataclass(frozen=True)
class Problem:
    """Something that could not be run, or ran without a result."""

    experiment: str
    variant: str
    backend: str
    pipeline: str
    status: str
    reason: str
    log: str = ""


@dataclass(frozen=True)
class Variant:
    """One training inside an experiment."""

    name: str
    title: str
    recipe: Mapping[str, Any]
    parameters: int | None


@dataclass(frozen=True)
class Data:
    """The data set of an experiment."""

    kind: str
    description: str
    synthetic: bool
    train: int | None
    test: int | None


@dataclass(frozen=True)
class Experiment:
    """An experiment as it was described; ``error`` says why its data could not be read."""

    name: str
    title: str
    description: str
    data: Data | None = None
    variants: Sequence[Variant] = ()
    figures: Sequence[Figure] = ()
    error: str = ""
    asked: str = ""

    @property
    def synthetic(self) -> bool:
        """True where its figures were measured on made-up data."""
        return self.data is not None and self.data.synthetic


@dataclass(frozen=True)
class EnvironmentDifference:
    """A setting that two compared runs do not share; None in one that does not have it."""

    setting: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class Report:
    """All of a document; ``runs`` names the two that a comparison is of."""

    verdict: str
    project: str
    created: str
    command: Sequence[str]
    environment: Mapping[str, Any]
    experiments: Mapping[str, Experiment]
    cells: Sequence[Cell] = field(repr=False)
    comparisons: Sequence[Comparison] = field(repr=False)
    claims: Sequence[Claim]
    examples: Sequence[Example]
    problems: Sequence[Problem]
    explanations: Sequence[Explanation] = ()
    runs: Sequence[str] = ()
    notes: Sequence[str] = ()
    environment_differences: Sequence[EnvironmentDifference] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""

    @functools.cached_property
    def compared(self) -> frozenset[tuple[str, str]]:
        """Experiment and variant of every comparison."""
        return frozenset((each.experiment, each.variant) for each in self.comparisons)


def parse(document: Mapping[str, Any]) -> Report:
    """The records of a valid document (see :func:`~backends_matrix.report.json_file.validate`).

    Characters that a terminal would obey or that XML cannot hold are replaced in every text.
    An experiment that only cells or problems name, because no backend could describe it, is there
    too. In a comparison of two runs, these stand in the place of backends.
    """
    clean = side_by_side(showable(document))
    experiments = {name: _experiment(name, entry) for name, entry in clean["experiments"].items()}
    for record in (*clean["cells"], *clean["comparisons"], *clean["claims"], *clean["problems"]):
        name = record["experiment"]
        if name and name not in experiments:
            experiments[name] = Experiment(name, "", "")
    return Report(
        verdict=clean["verdict"],
        project=f"{clean['project']['name']} {clean['project']['version']}",
        created=clean["created"],
        command=clean["command"],
        environment=clean["environment"],
        experiments=experiments,
        cells=[_record(Cell, entry) for entry in clean["cells"]],
        comparisons=[_comparison(entry) for entry in clean["comparisons"]],
        claims=[_record(Claim, entry) for entry in clean["claims"]],
        examples=[_record(Example, entry) for entry in clean["examples"]],
        problems=[_record(Problem, entry) for entry in clean["problems"]],
        explanations=[_record(Explanation, entry) for entry in clean.get("explanations", ())],
        seconds=clean.get("seconds", {}),
        options=clean.get("options", {}),
        reference=clean.get("reference", ""),
        runs=[run["name"] for run in clean.get("runs", ())],
        notes=clean.get("notes", ()),
        environment_differences=[
            _record(EnvironmentDifference, entry)
            for entry in clean.get("environment_differences", ())
        ],
    )


def showable(value: Any) -> Any:
    """The value with every character replaced, in every text, that cannot be shown; long texts are cut."""
    if isinstance(value, str):
        shown = value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
        return _UNSHOWABLE.sub("\ufffd", shown)
    if isinstance(value, Mapping):
        return {showable(key): showable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [showable(item) for item in value]
    return value


def _record(kind: type[_Record], entry: Mapping[str, Any]) -> _Record:
    # Keys of a later minor format are left out; a text that is null says nothing.
    values = {}
    for known in dataclasses.fields(kind):  # type: ignore[arg-type]
        if known.name in entry:
            value = entry[known.name]
            values[known.name] = "" if value is None and known.type == "str" else value
    return kind(**values)


def _comparison(entry: Mapping[str, Any]) -> Comparison:
    return _record(Comparison, {**entry, "verdict": Verdict(entry["verdict"])})


def _experiment(name: str, entry: Mapping[str, Any]) -> Experiment:
    return Experiment(
        name=name,
        title=entry["title"],
        description=entry["description"],
        data=None if entry["data"] is None else _record(Data, entry["data"]),
        variants=[_record(Variant, variant) for variant in entry["variants"]],
        figures=[Figure.from_json(figure) for figure in entry["figures"]],
        error=entry.get("error", ""),
        asked=entry.get("asked", ""),
    )
