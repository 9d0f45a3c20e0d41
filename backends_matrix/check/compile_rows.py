"""Rows for what a model was compiled with: does it survive a file, and is it the same on every backend?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backends_matrix.check.blamed_rows import blamed
from backends_matrix.check.diagnosis import Suspicion
from backends_matrix.check.equality import is_random
from backends_matrix.check.gaps import gap_for
from backends_matrix.check.members import Findings, Member, Stage
from backends_matrix.check.result import Check, Kind, Status

CHECK = "compile config"
_ROUNDING = 4 * 2.0**-23
"""Units of float32, of a loss or metric that is computed twice by the same functions from the same outputs.
Only the sum over outputs and the mean over rows may be rounded in another order."""


def compile_rows(
    findings: Mapping[Member, Findings], suspicions: Sequence[Suspicion]
) -> Iterator[Check]:
    """A row for each backend on which a compiled model was made again of its configuration."""
    stages = {
        member.name: found.stage("numbers", "compile config")
        for member, found in findings.items()
        if not member.double and not is_random(found)
    }
    stages = {name: stage for name, stage in stages.items() if stage.data.get("settings")}
    for name, stage in stages.items():
        yield (
            _lost(name, stage, suspicions)
            or _unusual(name, stages)
            or Check(CHECK, name, Status.PASS, difference=0.0, tolerance=0.0)
        )


def _lost(name: str, stage: Stage, suspicions: Sequence[Suspicion]) -> Check | None:
    """The first loss or metric that is another one after the configuration was read."""
    before, after = stage.group("compiled"), stage.group("compiled_again")
    said = str(stage.failure.get("message", "")).strip().splitlines()
    # A loss is added up last; a metric that differs is named by itself.
    for key in sorted(before, key=lambda key: key == "loss"):
        other = after.get(key, np.array(np.nan))
        if np.array_equal(before[key], other, equal_nan=True):
            continue
        with np.errstate(invalid="ignore"):
            difference = float(np.max(np.abs(before[key] - other), initial=0.0))
        tolerance = _ROUNDING * float(np.max(np.abs(before[key]), initial=0.0))
        if difference <= tolerance:
            continue
        kinds = _classes(key, stage.data.get("settings", {}))
        layer = kinds[0].partition(":")[2] if kinds and key == "loss" else key
        what = f"{layer} ({kinds[0].partition(':')[0]})" if kinds else key
        cause = (
            f"what the model is compiled with, read from its configuration, gives another {what}"
        )
        cause += f" ({said[0][:120]})" if said else ""
        gap = gap_for(name, kinds, CHECK)
        if gap is None:
            return blamed(
                CHECK, name, "config", suspicions, cause, difference=difference,
                tolerance=tolerance, layer=layer,
            )  # fmt: skip
        return Check(
            CHECK, name, Status.FAIL, Kind.KERAS, f"{cause}; {gap.reason}", layer,
            hint=f"known gap {gap.id}", known_gap=gap.id,
            difference=difference, tolerance=tolerance,
        )  # fmt: skip
    return None


def _classes(key: str, settings: Mapping[str, Any]) -> list[str]:
    """Names in the table of gaps: ``loss:CLASS`` or ``metric:CLASS`` of whatever bears a log's name."""
    if key == "loss":
        return [f"loss:{each['class']}" for each in settings.values()]
    return [
        f"metric:{each['class']}"
        for name, each in settings.items()
        if key == name or key.endswith(f"_{name}")
    ]


def _unusual(name: str, stages: Mapping[str, Stage]) -> Check | None:
    """A configuration that most other backends do not write; it changes no number here."""
    mine = stages[name].data.get("settings", {})
    for key, own in mine.items():
        others = [s.data.get("settings", {}).get(key) for n, s in stages.items() if n != name]
        if len(others) < 2 or own in others or others[0] != others[1] or not others[0]:
            continue
        field = next((f for f, v in own["config"].items() if others[0]["config"].get(f) != v), "")
        gap = gap_for(name, [own["class"]], CHECK)
        cause = (
            f"the configuration of {own['class']} {key!r} holds {field} = {own['config'].get(field)!r}, and "
            f"{others[0]['config'].get(field)!r} on the other backends"
        )
        return Check(
            CHECK, name, Status.PASS, Kind.REPORTED, f"{cause}; {gap.reason}" if gap else cause, key,
            known_gap=gap.id if gap else "",
        )  # fmt: skip
    return None


def follow_configuration(rows: Sequence[Check]) -> list[Check]:
    """Training that goes on from a file is explained by a setting that no configuration holds."""
    lost = {row.backend: row for row in rows if row.name == CHECK and row.status is Status.FAIL}
    found = []
    for row in rows:
        writer, _, reader = row.backend.partition(">")
        source = lost.get(writer) or lost.get(reader)
        if (
            source
            and row.name == "resume training"
            and row.status is Status.FAIL
            and not row.known_gap
        ):
            row = replace(
                row, kind=source.kind, cause=f"{row.cause}; it follows from: {source.cause}",
                layer=source.layer, hint=source.hint, known_gap=source.known_gap,
            )  # fmt: skip
        found.append(row)
    return found
