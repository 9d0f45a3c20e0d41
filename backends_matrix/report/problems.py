"""The problems of a run: one line each, with the place, the quantity and the size."""

from __future__ import annotations

from dataclasses import dataclass

from backends_matrix.report.overview import pipelines, place
from backends_matrix.report.records import Cell, Comparison, Problem, Report, Verdict
from backends_matrix.report.tally import grouped, summed
from backends_matrix.report.wording import count, measured_against, rounded_up, scientific, words

_NAMED_PLACES = 3


@dataclass(frozen=True)
class Line:
    """One problem: ``kind`` is "differs" or "error"; ``experiment`` is empty if it is everywhere."""

    kind: str
    experiment: str
    text: str


def problem_lines(report: Report) -> list[Line]:
    """All problems: first where backends differ, then what could not be run."""
    return [*_differences(report), *_errors(report)]


def difference_text(comparison: Comparison, *, with_pipeline: bool = False) -> str:
    """A comparison that differs, in one line."""
    backend = comparison.backend
    if with_pipeline:
        backend += f" ({comparison.pipeline})"
    where = f"{comparison.experiment}/{comparison.variant}"
    if comparison.level == 0:
        at = f" at epoch {comparison.epoch}" if comparison.epoch is not None else ""
        return (
            f"{where}: {words(comparison.quantity)} on {backend} differs from "
            f"{comparison.reference}{at}: the digests are not equal (level 0, exact)"
        )
    at = "after training" if comparison.epoch is None else f"at epoch {comparison.epoch}"
    return (
        f"{where}: {comparison.quantity} on {backend} differs from {comparison.reference} {at}: "
        f"{measured_against(comparison)} (tolerance), "
        f"smallest passing {rounded_up(comparison.smallest_passing)}"
    )


def _differences(report: Report) -> list[Line]:
    several = len(pipelines(report)) > 1
    differing = [entry for entry in report.comparisons if entry.verdict is Verdict.DIFFERS]
    lines = []
    for (experiment, *_), group in grouped(differing, place).items():
        first = summed(group).first
        if first is None:
            continue
        text = _explained(report, first) + difference_text(first, with_pipeline=several)
        lines.append(Line("differs", experiment, text + _others(first, group)))
    return lines


def _explained(report: Report, first: Comparison) -> str:
    """The kind of difference, where it is known."""
    key = (first.experiment, first.variant, first.backend)
    for each in report.explanations:
        known = each.kind != "unexplained" and first.level > 0
        if known and (each.experiment, each.variant, each.backend) == key:
            return f"{each.sentence}. "
    return ""


def _others(first: Comparison, group: list[Comparison]) -> str:
    if len(group) == 1:
        return ""
    names = dict.fromkeys(words(e.quantity) if e.level == 0 else e.quantity for e in group)
    text = f"; {count(len(group) - 1, 'more comparison')} of {', '.join(names)}"
    worst = summed(group).worst
    if worst is None or worst is first or worst.level == 0 or worst.epoch is None:
        return text
    return (
        f"{text}, up to {scientific(worst.difference)} in {worst.quantity} at epoch {worst.epoch}"
    )


def _errors(report: Report) -> list[Line]:
    found = list(report.problems)
    for cell in report.cells:
        if cell.is_failure(report.compared) and not any(
            _covers(problem, cell) for problem in report.problems
        ):
            found.append(
                Problem(
                    cell.experiment,
                    cell.variant,
                    cell.backend,
                    cell.pipeline,
                    cell.status,
                    cell.reason,
                )
            )
    for entry in report.experiments.values():
        if entry.error and not any(problem.experiment == entry.name for problem in found):
            found.append(Problem(entry.name, "", "", "", "failed", entry.error))
    several = len(pipelines(report)) > 1
    lines = []
    same = grouped(
        found, lambda problem: (problem.backend, problem.status, problem.reason, problem.log)
    )
    for (backend, status, reason, log), group in same.items():
        told = f"{status}: {reason}" if reason else status
        told += f" (log: {log})" if log else ""
        places = list(dict.fromkeys(_where(problem, several) for problem in group))
        experiments = {problem.experiment for problem in group}
        experiment = experiments.pop() if len(experiments) == 1 else ""
        if len(group) == 1:
            text = f"{' on '.join(filter(None, (places[0], backend)))}: {told}"
        else:
            named = ", ".join(filter(None, places[:_NAMED_PLACES]))
            more = ", …" if len(places) > _NAMED_PLACES else ""
            extent = f" ({count(len(group), 'cell')}: {named}{more})" if named else ""
            text = f"{backend or 'everywhere'}: {told}{extent}"
        lines.append(Line("error", experiment, text))
    return lines


def _where(problem: Problem, several_pipelines: bool) -> str:
    where = "/".join(filter(None, (problem.experiment, problem.variant)))
    if several_pipelines and problem.pipeline:
        return f"{where} ({problem.pipeline})"
    return where


def _covers(problem: Problem, cell: Cell) -> bool:
    """A problem that leaves a field empty speaks of all its values."""
    pairs = (
        (problem.experiment, cell.experiment),
        (problem.variant, cell.variant),
        (problem.backend, cell.backend),
        (problem.pipeline, cell.pipeline),
    )
    return all(named in ("", own) for named, own in pairs)
