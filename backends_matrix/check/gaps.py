"""Known gaps of Keras and its backends, looked up for a difference that was found."""

from __future__ import annotations

from collections.abc import Sequence

from portable_models.known_gaps import KnownGap, known_gaps


def gap_for(backend: str, names: Sequence[str], check: str) -> KnownGap | None:
    """The gap that explains a failed check of a backend.

    Args:
        backend: who failed.
        names: class names involved: the layer or operation that differs, the loss, ``OPTIMIZER:LAYER``.
        check: which check.
    """
    wanted = {name.lower() for name in names if name}
    for gap in known_gaps(backend):
        if wanted & {each.lower() for each in gap.layers} and (
            not gap.checks or check in gap.checks
        ):
            return gap
    return None
