"""The verdict as a sentence that says who and where, and the command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from backends_matrix.report.overview import backends, place, shown_cells
from backends_matrix.report.records import Comparison, Report, Verdict
from backends_matrix.report.tally import grouped, summed
from backends_matrix.report.wording import count, words

_OF_LEVEL_1 = 1


def headline(report: Report) -> str:
    """The verdict as a sentence."""
    if report.runs and not report.comparisons:
        return "Nothing could be compared"
    names = [name for name in backends(report) if any(c.backend == name for c in report.cells)]
    match report.verdict:
        case "differ":
            return _difference(report)
        case "error":
            return f"Not everything could be run{_failures(report)}"
        case "undecidable":
            return f"Nothing could be decided{_undecided(report)}"
    if ran_alone(report):
        return f"{count(len(report.cells), 'training')} on {names[0]}"
    if report.verdict == "ran" or not report.comparisons:
        return f"{' and '.join(names) or 'nothing'} ran; nothing was compared"
    if len(names) < 2:
        return f"{''.join(names)} agrees with itself"
    return f"{', '.join(names[:-1])} and {names[-1]} agree"


def ran_alone(report: Report) -> bool:
    """True for a run of one backend that had nothing to be compared with; its user asked for no more."""
    alone = len({cell.backend for cell in report.cells}) == 1
    return alone and report.verdict == "ran" and not report.comparisons


def first_difference(report: Report) -> Comparison | None:
    """The difference that stands for all: of the earliest level and epoch; metrics before single steps."""
    differing = [entry for entry in report.comparisons if entry.verdict is Verdict.DIFFERS]
    whole = [entry for entry in differing if entry.level != _OF_LEVEL_1]
    return summed(whole or differing).first


def narrowed_command(report: Report, first: Comparison) -> str:
    """The command that runs the part with a difference alone, its single steps judged in float64."""
    trajectory = (each for each in report.comparisons if each.level != _OF_LEVEL_1)
    reference = next((each.reference for each in trajectory), first.reference)
    known = report.experiments[first.experiment]
    asked = known.asked or first.experiment
    parts = ["portable", "matrix", asked, "--variant", first.variant]
    if reference == first.backend:
        parts += ["--backends", first.backend, "--pipelines", f"numpy,{first.pipeline}"]
    else:
        parts += ["--backends", f"{reference},{first.backend}"]
        if first.pipeline != "numpy":
            parts += ["--pipelines", first.pipeline]
    parts += ["--steps", "always", *_options(report, {reference, first.backend})]
    return shlex.join([*parts, "--out", "one-variant"])


def _options(report: Report, chosen: set[str]) -> list[str]:
    """The options of the run that change what a variant computes."""
    found: list[str] = []
    for name, value in report.options.items():
        if name == "epochs" and isinstance(value, dict):
            for where, number in value.items():
                found += ["--epochs", f"{where}={number}" if where else str(number)]
        elif name == "setup" and isinstance(value, dict):
            for backend, function in value.items():
                found += ["--setup", f"{backend}={function}"] if backend in chosen else []
        elif value is True:
            found.append(f"--{name}")
        elif isinstance(value, (str, int, float)):
            found += [f"--{name}", str(value)]
    return found


def _difference(report: Report) -> str:
    first = first_difference(report)
    if first is None:
        return f"The {'runs' if report.runs else 'backends'} differ"
    quantity = f"digest of {words(first.quantity)}" if first.level == 0 else first.quantity
    text = f"{first.backend} differs from {first.reference} in {first.experiment}/{first.variant}, {quantity}"
    if first.level:
        text += ", after training" if first.epoch is None else f", from epoch {first.epoch}"
    text += _cause(report, first)
    differing = [entry for entry in report.comparisons if entry.verdict is Verdict.DIFFERS]
    others = len(grouped(differing, place)) - 1
    return text + (f"; and in {count(others, 'other place')}" if others else "")


def _cause(report: Report, first: Comparison) -> str:
    """The first step that differs, where single steps were compared."""
    steps = [
        entry
        for entry in report.comparisons
        if entry.level == _OF_LEVEL_1
        and entry.verdict is Verdict.DIFFERS
        and place(entry)[:3] == place(first)[:3]
    ]
    if steps and first.level != _OF_LEVEL_1:
        return f": {summed(steps).first.quantity}"  # type: ignore[union-attr]  # there is one
    for each in report.explanations:
        if (each.experiment, each.variant, each.backend) == place(first)[:3]:
            return "" if each.kind == "unexplained" else f": {each.kind}"
    return ""


def _failures(report: Report) -> str:
    """The first thing that could not be run, and how many more there are."""
    broken = [
        f"{cell.experiment}/{cell.variant} on {cell.backend} ({cell.status})"
        for cell in shown_cells(report)
        if cell.is_failure(report.compared)
    ]
    broken += [
        "/".join(filter(None, (each.experiment, each.variant))) + f" ({each.status})"
        for each in report.problems
        if each.experiment and not each.backend
    ]
    return f": {_first_and_more(broken)}" if broken else ""


def _undecided(report: Report) -> str:
    undecided = [
        "/".join(where[:2]) + f" on {where[2]}"
        for where, group in grouped(report.comparisons, place).items()
        if all(each.level == 0 or each.verdict is Verdict.UNDECIDABLE for each in group)
    ]
    return f" of {_first_and_more(undecided)}" if undecided else ""


def _first_and_more(named: Sequence[str]) -> str:
    more = len(named) - 1
    return named[0] + (f" and {more} more" if more else "")
