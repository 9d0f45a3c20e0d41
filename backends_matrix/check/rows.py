"""Rows of the report, one for each stage and backend, as the stages left them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backends_matrix.check.diagnosis import Explanation, Suspicion, explain_failure
from backends_matrix.check.diagnosis.exception_meanings import first_line
from backends_matrix.check.gaps import (
    function_of_exception,
    gap_of_exception,
    gap_of_silence,
    layer_of_exception,
)
from backends_matrix.check.members import Findings, Member, Stage
from backends_matrix.check.result import Check, Kind, Status
from portable_models.known_gaps import KnownGap

HALF = "half_penalty"
"""What a penalty on weights of half precision is called in the table of known gaps."""


@dataclass(frozen=True)
class Step:
    """A stage as it is reported.

    Args:
        check: name of the check.
        phase: where it ran.
        stage: its name there.
        rules: the kind of stage, for the diagnosis.
    """

    check: str
    phase: str
    stage: str
    rules: str


STEPS = (
    Step("import", "build", "import", "import"),
    Step("build", "build", "build", "build"),
    Step("inputs", "build", "inputs", "inputs"),
    Step("forward", "build", "forward", "forward"),
    Step("forward again", "numbers", "forward", "forward"),
    Step("other sizes", "numbers", "sizes", "forward"),
    Step("gradients run", "numbers", "gradients", "train"),
    Step("fit runs", "numbers", "fit", "train"),
    Step("train_on_batch", "numbers", "train_on_batch", "train"),
    Step("predict", "numbers", "predict", "compiled"),
    Step("evaluate runs", "numbers", "evaluate", "train"),
    Step("get_config", "numbers", "config", "config"),
    Step("save", "numbers", "save", "save"),
    Step("save weights", "numbers", "save weights", "save"),
)


def stage_rows(
    findings: Mapping[Member, Findings],
    suspicions: Sequence[Suspicion],
    failing: Mapping[str, tuple[str, str]] | None = None,
) -> Iterator[Check]:
    """A row for every stage that ran on a backend: did it run to its end?

    Args:
        findings: of all members.
        suspicions: what the source gives reason to suspect.
        failing: by backend, path and class of a layer whose gradient fails by itself.
    """
    backends = [member for member in findings if not member.double]
    for step in STEPS:
        stages = {member: findings[member].stage(step.phase, step.stage) for member in backends}
        everywhere = _fails_everywhere(stages)
        silence = _silence(step, stages)
        for member, stage in stages.items():
            ended = findings[member].ended
            if ended is not None and ended[1] == step.stage and not stage.ok:
                yield _ended(step, member, ended, everywhere=_all_ended(findings))
            elif silence is not None and stage.ok and member.backend in silence[0].backends:
                yield _silent(step, member, stage, *silence)
            elif stage.status != "absent":
                place = (failing or {}).get(member.name) if step.rules == "train" else None
                place = place or half_penalty(findings[member])
                yield row_of(
                    step, member.name, stage, suspicions, everywhere=everywhere, failing=place
                )
    yield from _other_ends(findings)


def half_penalty(found: Findings) -> tuple[str, str] | None:
    """The place of a penalty on weights of half precision; None where a model has none."""
    path = str(found.stage("build", "weights").data.get("half_penalty", ""))
    return (path, HALF) if path else None


def _silence(step: Step, stages: Mapping[Member, Stage]) -> tuple[KnownGap, str] | None:
    """A gap of a backend that computes on where others raise an exception, and what was called there."""
    for member, stage in stages.items():
        gap = gap_of_silence(member.backend, stage.failure, step.check) if stage.failure else None
        if gap is not None:
            called = function_of_exception(stage.failure, gap)
            return gap, layer_of_exception(stage.failure, gap) or called
    return None


def _silent(step: Step, member: Member, stage: Stage, gap: KnownGap, called: str) -> Check:
    """The row of a backend that computes on where others rightly raise an exception."""
    return Check(
        step.check, member.name, Status.FAIL, Kind.KERAS, f"no exception is raised; {gap.reason}",
        called, hint=f"known gap {gap.id}", known_gap=gap.id, seconds=stage.seconds,
    )  # fmt: skip


def _fails_everywhere(stages: Mapping[Member, Stage]) -> bool:
    ran = [stage for stage in stages.values() if stage.status != "absent"]
    return bool(ran) and all(stage.status == "failed" for stage in ran)


def _all_ended(findings: Mapping[Member, Findings]) -> bool:
    return all(found.ended is not None for member, found in findings.items() if not member.double)


def row_of(
    step: Step,
    backend: str,
    stage: Stage,
    suspicions: Sequence[Suspicion],
    *,
    everywhere: bool,
    failing: tuple[str, str] | None = None,
) -> Check:
    """One stage as a row."""
    if stage.status == "skipped":
        reason = str(stage.data.get("reason", ""))
        return Check(step.check, backend, Status.SKIP, cause=reason, seconds=stage.seconds)
    if stage.ok:
        return Check(step.check, backend, Status.PASS, seconds=stage.seconds)
    why = explain_failure(stage.failure, suspicions, step.rules, everywhere=everywhere)
    row = failed(step.check, backend, why, seconds=stage.seconds)
    path, kind = failing or ("", "")
    reader = backend.rpartition(">")[2]
    gap = gap_of_exception(reader, stage.failure, [kind, why.called], step.check)
    silence = gap_of_silence(reader, stage.failure, step.check)
    if silence is not None:
        return replace(
            row, kind=Kind.AUTHOR, cause=f"{row.cause}; {silence.reason}",
            layer=function_of_exception(stage.failure, silence),
            hint=f"known gap {silence.id}", known_gap=silence.id,
        )  # fmt: skip
    if gap is None:
        return row if kind == HALF else replace(row, layer=row.layer or path)
    said = f"{stage.failure.get('type')}: {first_line(stage.failure.get('message', ''))}"
    return replace(
        row,
        kind=Kind.KERAS,
        layer=(path if kind in gap.layers else "")
        or layer_of_exception(stage.failure, gap)
        or why.called
        or function_of_exception(stage.failure, gap),
        known_gap=gap.id,
        cause=f"{said}; {gap.reason}",
        hint=f"known gap {gap.id}",
    )


def failed(check: str, backend: str, why: Explanation, seconds: float | None = None) -> Check:
    """A failure as a row."""
    return Check(
        check,
        backend,
        Status.FAIL,
        why.kind,
        why.cause,
        why.called,
        file=why.file,
        line=why.line,
        hint=why.hint,
        seconds=seconds,
    )


def _ended(step: Step, member: Member, ended: tuple[str, str, bool], *, everywhere: bool) -> Check:
    # What takes too long on one backend may be slow there, or hang: that is undecided.
    kind = Kind.HARNESS if everywhere or ended[2] else Kind.KERAS
    hint = "give more time with --timeout" if ended[2] else ""
    return Check(step.check, member.name, Status.FAIL, kind, ended[0], hint=hint)


def _other_ends(findings: Mapping[Member, Findings]) -> Iterator[Check]:
    """Processes that ended in a stage that has no row of its own."""
    known = {step.stage for step in STEPS}
    for member, found in findings.items():
        if member.double or found.ended is None or found.ended[1] in known:
            continue
        kind = Kind.HARNESS
        yield Check("process", member.name, Status.FAIL, kind, found.ended[0])
