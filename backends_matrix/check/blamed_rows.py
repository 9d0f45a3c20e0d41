"""Rows for failures without an exception, with whose they are."""

from __future__ import annotations

from collections.abc import Sequence

from backends_matrix.check.diagnosis import Suspicion, explain_difference
from backends_matrix.check.result import Check, Kind, Status


def blamed(
    check: str,
    backend: str,
    rules: str,
    suspicions: Sequence[Suspicion],
    cause: str,
    *,
    difference: float | None = None,
    tolerance: float | None = None,
    layer: str = "",
) -> Check:
    """A failure without an exception: the author's where the source gives reason, else Keras's."""
    found = explain_difference(rules, suspicions)
    if found is None:
        return Check(
            check, backend, Status.FAIL, Kind.KERAS, cause, layer,
            difference=difference, tolerance=tolerance,
        )  # fmt: skip
    return Check(
        check,
        backend,
        Status.FAIL,
        Kind.AUTHOR,
        f"{cause}: {found.reason}",
        layer,
        found.file,
        found.line,
        found.hint,
        difference=difference,
        tolerance=tolerance,
    )
