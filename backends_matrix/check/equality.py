"""Rows for what must be the same on one backend, or exactly the same on all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backends_matrix.check.blamed_rows import blamed
from backends_matrix.check.compared_quantities import epsilon_of
from backends_matrix.check.diagnosis import Suspicion
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.result import Check, Kind, Status
from backends_matrix.check.starting_state import starting_rows
from backends_matrix.check.tolerance import compare, largest_magnitude


def equality_rows(
    findings: Mapping[Member, Findings], suspicions: Sequence[Suspicion], reference: Member
) -> Iterator[Check]:
    """All of them."""
    backends = {member: found for member, found in findings.items() if not member.double}
    yield from _types(backends, suspicions)
    yield from starting_rows(backends, suspicions, reference)
    for member, found in backends.items():
        yield from _repeats(member.name, found, suspicions)
        yield from _compiled(member.name, found, findings, suspicions)
        yield from _configuration(member.name, found, suspicions)
        yield from _leaks(member.name, found, suspicions)
        if not is_random(found):
            yield from _pipelines(member.name, found)
        yield from _mixed(member.name, found)


def is_random(found: Findings) -> bool:
    """Whether two runs from one state differ: the model draws from somewhere else than Keras."""
    return any(
        stage.ok and stage.data.get("same") is False
        for stage in (found.stage("numbers", "repeat"), found.stage("numbers", "gradients"))
    )


def _types(backends: Mapping[Member, Findings], suspicions: Sequence[Suspicion]) -> Iterator[Check]:
    known = {
        member.name: found.stage("build", "forward")
        for member, found in backends.items()
        if found.stage("build", "forward").ok
    }
    if len(known) < 2:
        return
    kept = {name: (stage.data["dtypes"], stage.data["shapes"]) for name, stage in known.items()}
    usual = max(kept.values(), key=lambda each: list(kept.values()).count(each))
    for name, each in kept.items():
        if each == usual:
            yield Check("types and shapes", name, Status.PASS)
            continue
        what = "types" if each[0] != usual[0] else "shapes"
        mine, other = (each[0], usual[0]) if what == "types" else (each[1], usual[1])
        cause = f"the outputs' {what} are {mine} here and {other} elsewhere"
        yield blamed("types and shapes", name, "types", suspicions, cause)


def _repeats(name: str, found: Findings, suspicions: Sequence[Suspicion]) -> Iterator[Check]:
    for check, stage, rules in (
        ("second call", "repeat", "repeat"),
        ("randomness", "gradients", "randomness"),
    ):
        kept = found.stage("numbers", stage)
        if not kept.ok or "same" not in kept.data:
            continue
        if kept.data["same"]:
            yield Check(check, name, Status.PASS, difference=0.0, tolerance=0.0)
            continue
        cause = "two runs from the same state and seeds give different numbers"
        row = blamed(
            check, name, rules, suspicions, cause, difference=kept.data["difference"], tolerance=0.0
        )
        yield row
    forward = found.stage("build", "forward")
    if forward.ok and forward.data.get("grew"):
        cause = f"the first call made {forward.data['grew']} variables of a model that was built already"
        yield blamed("variables", name, "weights", suspicions, cause)


def _compiled(
    name: str,
    found: Findings,
    findings: Mapping[Member, Findings],
    suspicions: Sequence[Suspicion],
) -> Iterator[Check]:
    eager, compiled = found.stage("numbers", "forward"), found.stage("numbers", "predict")
    if not eager.ok or not compiled.ok:
        return
    moves = [
        each.stage("numbers", "forward").group("move")
        for member, each in findings.items()
        if not member.double
    ]
    own = eager.group("move")
    distances = compare(
        compiled.group("outputs"),
        compiled.group("eager"),
        moves,
        own=own,
        epsilon=epsilon_of(findings),
    )
    worst = max(distances, key=lambda each: each.ratio, default=None)
    if worst is None:
        return
    if worst.agrees:
        yield Check(
            "compiled", name, Status.PASS, difference=worst.difference, tolerance=worst.tolerance
        )
        return
    cause = "predict, which compiles the model, gives other numbers than a plain call"
    yield blamed(
        "compiled", name, "compiled", suspicions, cause,
        difference=worst.difference, tolerance=worst.tolerance,
    )  # fmt: skip


def _configuration(name: str, found: Findings, suspicions: Sequence[Suspicion]) -> Iterator[Check]:
    kept = found.stage("numbers", "config")
    if not kept.ok or "same" not in kept.data or is_random(found):
        return
    tolerance = 4 * 2.0**-23 * kept.data["scale"]
    if kept.data["same"] or kept.data["difference"] <= tolerance:
        yield Check(
            "config outputs",
            name,
            Status.PASS,
            difference=kept.data["difference"],
            tolerance=tolerance,
        )
        return
    cause = "the model made of its own configuration, with the same weights, gives other numbers"
    yield blamed(
        "config outputs", name, "config", suspicions, cause,
        difference=kept.data["difference"], tolerance=tolerance,
    )  # fmt: skip


def _leaks(name: str, found: Findings, suspicions: Sequence[Suspicion]) -> Iterator[Check]:
    kept = found.stage("numbers", "fit")
    leaks = kept.data.get("leaks")
    if leaks is None:
        return
    if not leaks:
        yield Check("kept tensors", name, Status.PASS)
        return
    first = leaks[0]
    here = [each for each in suspicions if f"self.{first['attribute']}" in each.reason]
    kept_in = f"{first['class']}.{first['attribute']}"
    cause = f"after fit, {kept_in} holds a tensor that existed only while fit was traced"
    row = blamed("kept tensors", name, "leaks", here or suspicions, cause, layer=first["layer"])
    # Only layers that are not Keras's are looked at.
    hint = row.hint or "return it, or keep state in a variable made in build"
    yield replace(row, kind=Kind.AUTHOR, hint=hint)


def _pipelines(name: str, found: Findings) -> Iterator[Check]:
    for stage in found.stages("numbers"):
        if not stage.startswith("pipeline "):
            continue
        kept = found.stage("numbers", stage)
        if kept.status == "skipped":
            yield Check(stage, name, Status.SKIP, cause=str(kept.data.get("reason", "")))
        elif not kept.ok:
            cause = str(kept.failure.get("message", "")).splitlines()
            yield Check(stage, name, Status.FAIL, Kind.KERAS, cause[0] if cause else "it failed")
        else:
            wrong = {
                key: values
                for key, values in kept.data["differs"].items()
                if abs(values[0] - values[1]) > 4 * 2.0**-23 * abs(values[1])
            }
            if not wrong:
                yield Check(stage, name, Status.PASS)
                continue
            key, values = next(iter(wrong.items()))
            yield Check(
                stage, name, Status.FAIL, Kind.KERAS,
                f"evaluate gives {key} {values[0]:.8g} through this pipeline and {values[1]:.8g} of arrays",
                difference=abs(values[0] - values[1]), tolerance=0.0,
            )  # fmt: skip


def _mixed(name: str, found: Findings) -> Iterator[Check]:
    kept = found.stage("numbers", "mixed precision")
    if kept.status == "absent":
        return
    if kept.ok and kept.data.get("finite"):
        scale = largest_magnitude(list(kept.group("outputs").values()))
        exact = found.stage("numbers", "forward").group("outputs")
        mixed = kept.group("outputs")
        far = max(
            (
                float(
                    np.abs(mixed[key].astype(np.float64) - array.astype(np.float64)).max(
                        initial=0.0
                    )
                )
                for key, array in exact.items()
                if key in mixed and mixed[key].shape == array.shape and array.dtype.kind == "f"
            ),
            default=0.0,
        )
        cause = f"under mixed_bfloat16 outputs of up to {scale:.3g} move by {far:.2g}"
        yield Check(
            "mixed precision", name, Status.PASS, Kind.REPORTED, cause, seconds=kept.seconds
        )
        return
    said = str(kept.failure.get("message", "")).splitlines()
    cause = said[0][:200] if said else "outputs are not finite"
    yield Check(
        "mixed precision", name, Status.SKIP, Kind.REPORTED,
        f"the model does not run under mixed_bfloat16, which it does not ask for: {cause}",
    )  # fmt: skip
