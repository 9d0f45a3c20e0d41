"""Notes on the results, and the next step for the reader."""

from __future__ import annotations

from pathlib import Path

from backends_matrix.report.headline import first_difference, narrowed_command
from backends_matrix.report.records import Report, Verdict
from backends_matrix.report.tally import grouped
from backends_matrix.report.wording import count

FIGURES = "figures"
_FILES = ("report.html", "report.json", "junit.xml")


def notes(report: Report) -> list[str]:
    """Remarks on cells that ended well, for instance that another engine ran."""
    remarked = [cell for cell in report.cells if cell.ok and cell.reason and not cell.replica]
    same = grouped(remarked, lambda cell: (cell.backend, cell.reason))
    changed = [
        f"{each.setting} {each.first or 'absent'} -> {each.second or 'absent'}"
        for each in report.environment_differences
    ]
    return [
        *report.notes,
        *([f"the environments differ: {', '.join(changed)}"] if changed else []),
        *(
            f"{backend}: {reason} ({count(len(cells), 'cell')})"
            for (backend, reason), cells in same.items()
        ),
    ]


def written(directory: Path) -> list[str]:
    """Which of the report's files are in a folder, as lines for people."""
    names = [name for name in _FILES if (directory / name).is_file()]
    plots = len(list((directory / FIGURES).glob("*.png")))
    if plots:
        names.append(f"{FIGURES}/ ({count(plots, 'plot')})")
    return [f"Written to {directory}: {', '.join(names)}"] if names else []


def next_step(report: Report, directory: Path | str | None) -> str:
    """The next step, by verdict."""
    plots = "see the plots below"
    if directory is not None:
        plots = f"see the plots in {Path(directory) / 'report.html'}"
    if report.runs:
        return _after_a_comparison(report)
    first = first_difference(report)
    if report.verdict == "differ" and first is not None:
        return f"run that part alone with: {narrowed_command(report, first)}"
    if report.verdict == "undecidable":
        return (
            "nothing here is agreement: run more replicas (--replicas), fewer epochs (--epochs), or judge "
            "single steps (--steps always)"
        )
    if report.verdict == "error":
        return (
            "mend what the problems above name, then run the same command with --resume: "
            "finished cells are kept"
        )
    if report.verdict == "ran":
        return f"compare backends with: portable matrix; {plots}"
    if any(experiment.synthetic for experiment in report.experiments.values()):
        return f"{plots}; run with --data full for figures on the real data"
    return plots


def _after_a_comparison(report: Report) -> str:
    first = next((each for each in report.comparisons if each.verdict is Verdict.DIFFERS), None)
    if first is None:
        if report.verdict == "error":
            return "mend what the problems above name, repeat that run, and compare again"
        return "nothing; keep both folders, they are what this verdict rests on"
    if first.level == 0:
        return (
            "the runs were not given the same: repeat one with the data, the seed, the epochs and the "
            "version of portable-models of the other"
        )
    asked = report.experiments[first.experiment].asked or first.experiment
    variant = first.variant.rpartition(" on ")[0]
    return (
        "find the step that differs, on each of the two machines, with: "
        f"portable matrix {asked} --variant {variant} --steps always"
    )
