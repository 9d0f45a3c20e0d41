"""Judge the cells of a run by levels 0 and 2: every cell against the reference cell of its variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backends_matrix.judge.comparison import Comparison
from backends_matrix.judge.digests import compare_digests
from backends_matrix.judge.noise import families
from backends_matrix.judge.trajectories import Judgement, compare_metrics
from backends_matrix.run.result import CellResult


def judge_cells(
    results: Iterable[CellResult], reference: str, judgement: Judgement | None = None
) -> list[Comparison]:
    """Compare every cell with the reference cell of its variant.

    Args:
        results: all results of a run; those without numbers are left out, as they have nothing to compare.
        reference: the reference backend. The reference cell of a variant is its first cell on this backend
            that is not a replica. Where there is none, or where its numbers are not finite, the others are
            compared with the first of them as well.
        judgement: what verdicts rest on.

    Returns:
        Every comparison that could be made.
    """
    settings = judgement or Judgement()
    comparisons: list[Comparison] = []
    for cells in _by_variant(result for result in results if result.comparable).values():
        originals = [each for each in cells if not each.cell.replica]
        groups = families(cells)
        for base, other in _pairs(originals, reference):
            comparisons += compare_digests(base, other)
            comparisons += compare_metrics(base, other, groups, settings)
    return comparisons


def _pairs(
    originals: Sequence[CellResult], reference: str
) -> Iterator[tuple[CellResult, CellResult]]:
    """What is compared with what."""
    base = next((each for each in originals if each.cell.backend == reference), None)
    if base is not None:
        yield from ((base, other) for other in originals if other is not base)
    if base is None or not base.ok:
        sound = [each for each in originals if each.ok]
        yield from ((sound[0], other) for other in sound[1:])


def _by_variant(results: Iterable[CellResult]) -> dict[tuple[str, str], list[CellResult]]:
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        groups.setdefault((result.cell.experiment, result.cell.variant), []).append(result)
    return groups
