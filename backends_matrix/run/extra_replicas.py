"""A difference gets a second look: more replicas, before it is reported.

A few replicas may not meet an event that a backend does meet, such as a unit of a ReLU that falls on the
other side of zero by rounding. A fault is not explained by any number of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.run.cell import Cell
from backends_matrix.run.plan import make_cell
from backends_matrix.run.settings import MatrixSettings


def find_doubtful_variants(comparisons: Iterable[Comparison]) -> set[tuple[str, str]]:
    """Experiment and variant of those whose metrics differ although what went in is the same."""
    rows = [each for each in comparisons if each.verdict is Agreement.DIFFERS]
    other_input = {(each.experiment, each.variant) for each in rows if each.level == 0}
    return {(each.experiment, each.variant) for each in rows} - other_input


def plan_extra_replicas(
    cells: Sequence[Cell],
    doubtful: Collection[tuple[str, str]],
    settings: MatrixSettings,
    reference: str,
) -> list[Cell]:
    """Twice as many replicas, and one more, of the variants in which a difference was found.

    Args:
        cells: every cell planned so far.
        doubtful: experiment and variant of those with a difference.
        settings: what is asked for.
        reference: the reference backend.

    Returns:
        The cells to add; none for a variant without replicas, or with the most that are allowed.
    """
    added = []
    for experiment, variant in sorted(doubtful):
        mine = [each for each in cells if (each.experiment, each.variant) == (experiment, variant)]
        have = max(each.replica for each in mine)
        wanted = min(2 * have + 1, settings.most_replicas) if have else 0
        added += [
            make_cell(experiment, variant, reference, settings.pipelines[0], replica, settings)
            for replica in range(have + 1, wanted + 1)
        ]
    return added
