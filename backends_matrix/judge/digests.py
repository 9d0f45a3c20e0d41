"""Level 0: digests of what goes into a training must be equal. Any difference is an error."""

from __future__ import annotations

from backends_matrix.judge.comparison import Comparison, make_comparison
from backends_matrix.run.result import CellResult


def compare_digests(base: CellResult, other: CellResult) -> list[Comparison]:
    """Level 0: every digest that either of two cells has must be there and equal in both."""
    return [
        make_comparison(
            base,
            other,
            level=0,
            quantity=quantity,
            epoch=None,
            difference=float(base.digests.get(quantity) != other.digests.get(quantity)),
            tolerance=0.0,
            undecidable=False,
            why="digests are equal or the inputs were not the same",
        )
        for quantity in sorted({*base.digests, *other.digests})
        if base.digests.get(quantity) or other.digests.get(quantity)
    ]
