"""Differences of single steps that are known of Keras or a backend."""

from __future__ import annotations

from collections.abc import Sequence

from backends_matrix.check.gaps import gap_for

CHECKS = {
    "outputs": ("outputs in training", "outputs"),
    "loss": ("loss",),
    "statistics": ("state",),
    "gradient": ("gradients",),
    "update": ("one step",),
    "metric": ("fit logs", "evaluate"),
}
"""Kind of a result of one step -> the checks of ``portable check`` that ask the same."""


def known_gap(backend: str, names: Sequence[str], kind: str) -> str:
    """The id of the known gap that explains a difference; empty where none does.

    Args:
        backend: the one that is wrong.
        names: the class of the layer or the name of the operation that differs by itself, of the loss, the
            optimizer, or ``OPTIMIZER:LAYER``.
        kind: a key of ``CHECKS``.
    """
    for check in CHECKS.get(kind, ()):
        gap = gap_for(backend, names, check)
        if gap is not None:
            return gap.id
    return ""
