"""The Python interface of the matrix: run it or compare two runs, and read the report as typed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.judge.run_comparison import compare_runs
from backends_matrix.report.assembly import EXIT_CODES, build_document
from backends_matrix.report.records import Report, parse
from backends_matrix.run.matrix_run import find_reference, run_matrix
from backends_matrix.run.observer import Observer
from backends_matrix.run.settings import MatrixSettings


@dataclass(frozen=True)
class MatrixReport:
    """The report of a run, or of the comparison of two runs.

    Args:
        document: what ``report.json`` holds; see ``report.schema.json``.
        records: the same as typed records: cells, comparisons, explanations, problems, claims.
    """

    document: Mapping[str, Any] = field(repr=False)
    records: Report = field(repr=False)

    @property
    def verdict(self) -> str:
        """agree, differ, undecidable or error; ran where there was one cell only."""
        return self.records.verdict

    @property
    def exit_code(self) -> int:
        """The exit code of ``portable matrix``: 0, 1 for a difference, 3 where nothing could be decided."""
        return EXIT_CODES[self.verdict]


def matrix(
    experiments: str | Sequence[str],
    settings: MatrixSettings,
    *,
    observer: Observer | None = None,
    command: Sequence[str] = (),
) -> MatrixReport:
    """Run experiments on several backends and pipelines and judge whether they agree.

    The calling process never imports keras; each backend runs in a worker of its own. Ctrl-C ends the
    workers and reports what has finished.

    Args:
        experiments: one or more built-in names or ``package.module:object``.
        settings: what is asked for.
        observer: called for every epoch and cell.
        command: the command line, for the report.

    Raises:
        CallError: an unknown experiment or variant, or a folder that cannot be written to.
        RunError: no backend could be started, or another run uses the folder.

    Example:
        >>> from pathlib import Path
        >>> from backends_matrix import MatrixSettings, matrix
        >>> report = matrix("boston", MatrixSettings(out=Path("out")))  # doctest: +SKIP
        >>> report.verdict  # doctest: +SKIP
        'agree'
    """
    names = [experiments] if isinstance(experiments, str) else list(experiments)
    state = run_matrix(names, settings, observer, command)
    document = build_document(state, settings, find_reference(settings), command)
    return MatrixReport(document, parse(document))


def compare(first: Path | str, second: Path | str, *, command: Sequence[str] = ()) -> MatrixReport:
    """Judge the run in one folder by the run in another: two machines, two versions or two devices.

    Args:
        first: folder of the run that is compared with.
        second: folder of the run that is judged.
        command: the command line, for the report.

    Raises:
        CallError: a folder holds no run that can be read, or both are the same.
    """
    document = compare_runs(Path(first), Path(second), command=command)
    return MatrixReport(document, parse(document))
