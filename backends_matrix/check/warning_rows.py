"""Rows for warnings of Keras that are known to say nothing of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backends_matrix.check.gaps import gap_of_exception, layer_of_exception
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.result import Check, Kind, Status

CHECK = "warnings"


def warning_rows(findings: Mapping[Member, Findings]) -> Iterator[Check]:
    """A row for each backend whose training gives a warning that a known gap explains; it fails nothing."""
    for member, found in findings.items():
        if member.double:
            continue
        for heard in found.stage("numbers", "fit").data.get("warnings", []):
            gap = gap_of_exception(member.backend, heard, [], CHECK)
            if gap is not None:
                cause = f"{heard['type']}: {heard['message'].splitlines()[0][:120]}; {gap.reason}"
                yield Check(
                    CHECK, member.name, Status.PASS, Kind.REPORTED, cause,
                    layer_of_exception(heard, gap), known_gap=gap.id,
                )  # fmt: skip
                break
