"""The verdict in a sentence, and how to come to it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from backends_matrix.report.problems import problem_lines
from backends_matrix.report.records import Report, Verdict
from backends_matrix.report.tally import summed
from backends_matrix.report.wording import count, measured_against, part

_PACKAGES = ("keras", "jax", "tensorflow", "torch", "numpy")


def explanation(report: Report) -> str:
    """Why the verdict is what it is, in one or two sentences for the head of the report."""
    lines = problem_lines(report)
    if lines:
        more = len(lines) - 1
        rest = (
            f" {count(more, 'more problem')} {'is' if more == 1 else 'are'} below." if more else ""
        )
        return f"{lines[0].text}.{rest}"
    decided = [entry for entry in report.comparisons if entry.verdict is Verdict.AGREES]
    if not report.comparisons:
        return "There was one cell of each variant, so nothing was held against anything."
    inputs = sum(entry.level == 0 for entry in report.comparisons)
    measured = [entry for entry in decided if entry.level > 0 and entry.tolerance]
    worst = summed(measured).worst
    parts = [f"All {inputs:,} digests of what went in are equal."] if inputs else []
    if worst is not None and not worst.share:
        parts.append(
            f"So are all {len(measured):,} numbers that can be decided, to the last digit."
        )
    elif worst is not None:
        at = "after training" if worst.epoch is None else f"at epoch {worst.epoch}"
        parts.append(
            f"Of {count(len(measured), 'number')} that can be decided, the one nearest to its tolerance is "
            f"{worst.quantity} of {worst.experiment}/{worst.variant} on {worst.backend} {at}: "
            f"{measured_against(worst)}, {part(worst.share)} of it."
        )
    undecided = len(report.comparisons) - len(decided)
    if undecided:
        parts.append(
            f"{count(undecided, 'comparison is', 'comparisons are')} undecidable and prove nothing."
        )
    return " ".join(parts)


def versions(report: Report) -> Mapping[str, str]:
    """By backend, the command that installs the versions it ran with; empty where they are not known."""
    found = {}
    for backend, settings in report.environment["backends"].items():
        pins = [
            f"{package}=={settings[package]}"
            for package in _PACKAGES
            if isinstance(settings.get(package), str)
        ]
        if pins and not report.runs:
            found[backend] = f"pip install {shlex.join(pins)}"
    return found


def steps(report: Report) -> Sequence[tuple[str, str]]:
    """The commands that reproduce the report, each with what it does."""
    found: list[tuple[str, str]] = []
    if report.command:
        found.append(("The whole run", shlex.join(report.command)))
    variants = [each.name for held in report.experiments.values() for each in held.variants]
    if list(report.command[1:2]) == ["matrix"] and variants:
        # Of options that are given twice the last counts, and variants add up.
        part = ["--variant", variants[0], "--steps", "always", "--out", "one-variant"]
        found.append(
            (
                f"Only {variants[0]} (or another variant), its single steps judged in float64",
                shlex.join([*report.command, *part]),
            )
        )
    if not report.runs:
        found.append(
            (
                "This run against one of another machine or version",
                "portable compare THIS_DIR THAT_DIR",
            )
        )
    found.append(("This page again, from report.json", "portable report DIR"))
    return found


def times(report: Report) -> Mapping[str, float]:
    """The time spent on each part of the run, in seconds."""
    training = sum(cell.seconds or 0.0 for cell in report.cells)
    named = {
        "training, in all workers": report.seconds.get("training", training),
        "single steps": report.seconds.get("steps", 0.0),
        "judging": report.seconds.get("judging", 0.0),
        "figures": report.seconds.get("reporting", 0.0),
    }
    return {name: spent for name, spent in named.items() if spent}
