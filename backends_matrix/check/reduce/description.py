"""A reduced failure in words, as an issue would say it."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping

import numpy as np

from backends_matrix.check.reduce.case import Case, Shown
from backends_matrix.check.reduce.script import write_script
from backends_matrix.check.reduce.search import Found
from backends_matrix.check.reduce.trial import Failure, Parts
from backends_matrix.check.result import Check

_MOST_SHOWN = 6
"""Numbers of an array that the table shows."""

_OF = {
    Shown.FORWARD: "outputs",
    Shown.FILE: "outputs of the model that is read from a .keras file",
    Shown.WEIGHTS_FILE: "outputs of the model with the weights of a file",
    Shown.RESUMED: "weights after one more step from a .keras file",
}
_PRINTS = {
    Shown.FORWARD: "which prints the outputs",
    Shown.STEP: "which prints the {part} after one step of training",
    Shown.FILE: "writes a `.keras` file on each backend, reads it on each, and prints the outputs of the "
    "model that was written (`jax`) and of each that was read (`jax>torch`)",
    Shown.RESUMED: "writes a `.keras` file on each backend, reads it on each, and prints the outputs, and "
    "the weights after one more step, of the model that was written (`jax`) and of each that was read "
    "(`jax>torch`)",
    Shown.WEIGHTS_FILE: "writes a weights file on each backend, reads it on each, and prints the outputs of "
    "the model that was written (`jax`) and of each that has read it (`jax>torch`)",
}


def title_of(case: Case, failure: Failure) -> str:
    """What differs, in one line."""
    kinds = ", ".join(dict.fromkeys(node.kind for node in case.nodes))
    what = _OF.get(case.shown, f"{failure.part} after one step")
    return f"{kinds}: {what} {_where(case, failure)}"


def _where(case: Case, failure: Failure) -> str:
    """Who differs from whom."""
    if case.shown not in (Shown.FORWARD, Shown.STEP):
        readings = [pair[-1].split(">") for pair in sorted(failure.pairs, key=str)]
        count = len(case.backends)
        what = "differ from those of the model that was written"
        writers, readers = ({pair[place] for pair in readings} for place in (0, 1))
        if len(readings) == count * len(writers):
            by = "any backend" if len(writers) == count else " or ".join(sorted(writers))
            return f"{what} if {by} has written it"
        if len(readings) == count * len(readers):
            return f"{what} if {' or '.join(sorted(readers))} reads it"
        return f"{what}: {', '.join('>'.join(pair) for pair in readings)}"
    labels = {label for pair in failure.pairs for label in pair}
    alone = [each for each in sorted(labels) if all(each in pair for pair in failure.pairs)]
    if len(alone) == 1 and len(labels) > 2:
        others = " and ".join(sorted(labels - set(alone)))
        differ = "differs from that" if failure.part == "state" else "differ from those"
        return f"on {alone[0]} {differ} on {others}"
    differ = "differs" if failure.part == "state" else "differ"
    return f"{differ} between " + ", ".join(sorted(" and ".join(pair) for pair in failure.pairs))


def describe(found: Found, check: Check, script: str, versions: Mapping[str, str]) -> str:
    """The description, as Markdown, ready for an issue.

    Args:
        found: the case, its failure, and what its script printed.
        check: what was found in the whole model.
        script: file name of the script.
        versions: of Keras and the backends.
    """
    case, failure = found.case, found.failure
    calls = "\n".join(
        f"- `{node.make or node.call}`" + (" (draws random numbers)" if node.draws else "")
        for node in case.nodes
    )
    shapes = ", ".join(f"`{(case.batch, *each.shape)}` {each.dtype}" for each in case.inputs)
    installed = ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
    return (
        f"# {case.title}\n\n"
        f"{_how_far(failure)}\n\n"
        f"{_table(found)}\n\n"
        f"**Expected.** The numbers agree within rounding.{_believed(found)}\n\n"
        f"**Model.**\n\n{calls}\n\nwith inputs of {shapes}.\n\n"
        f"**To reproduce.** `python {script}` needs Keras, NumPy and the backends "
        f"({', '.join(case.backends)}). It starts a process for each backend, "
        f"{_PRINTS[case.shown].format(part=failure.part)}.\n\n"
        f"```python\n{write_script(case)}```\n\n"
        f"**Versions.** {installed}, numpy {np.__version__}, Python {platform.python_version()}, "
        f"{platform.system()}.\n\n"
        f"**Found by** `portable check` in a larger model: {check.name} on {check.backend}: "
        f"{check.cause.rstrip('.')}.\n"
    )


def _how_far(failure: Failure) -> str:
    if math.isinf(failure.difference):
        return "Shapes, or the places of NaN, differ."
    return (
        f"The largest difference is {failure.difference:.2g} of the largest number, where rounding "
        f"accounts for about 1e-6."
    )


def _believed(found: Found) -> str:
    """Who agrees; the judge's word stands with what was found in the model."""
    if found.case.shown not in (Shown.FORWARD, Shown.STEP):
        return ""
    labels = sorted(label for label, parts in found.outcome.printed.items() if parts)
    odd = {label for pair in found.failure.pairs for label in pair}
    alone = [each for each in sorted(odd) if all(each in pair for pair in found.failure.pairs)]
    agreeing = [each for each in labels if each not in alone]
    if len(alone) != 1 or len(agreeing) < 2:
        return ""
    return f" {' and '.join(agreeing)} do."


def _table(found: Found) -> str:
    """The numbers that differ most, of every run."""
    part = found.failure.part
    ran: dict[str, Parts] = {
        label: parts
        for label, parts in sorted(found.outcome.printed.items())
        if isinstance(parts, dict)
    }
    array, start = _widest(list(ran.values()), part)
    rows = []
    for label, parts in ran.items():
        numbers = parts[part][array][start : start + _MOST_SHOWN]
        cut = "" if len(parts[part][array]) <= _MOST_SHOWN else " ..."
        rows.append(f"| {label} | {', '.join(f'{each:.6g}' for each in numbers)}{cut} |")
    return "\n".join([f"| backend | {part} |", "| --- | --- |", *rows])


def _widest(runs: list[Parts], part: str) -> tuple[int, int]:
    """The array in which runs differ most, and where in it to begin."""
    best, found = -1.0, (0, 0)
    first = runs[0][part]
    for parts in runs[1:]:
        for number, values in enumerate(parts[part][: len(first)]):
            size = min(len(values), len(first[number]))
            one, other = np.array(values[:size], float), np.array(first[number][:size], float)
            far = np.nan_to_num(np.abs(one - other), nan=0.0)
            # A number that is NaN on one side alone is the widest of all.
            far[np.isnan(one) != np.isnan(other)] = np.inf
            if size and far.max() > best:
                place = int(far.argmax())
                best = float(far.max())
                start = 0 if len(values) <= _MOST_SHOWN else place - place % _MOST_SHOWN
                found = number, start
    return found
