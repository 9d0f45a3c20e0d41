"""From what the processes answered to one result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from portable_models.export import staging
from portable_models.export.comparison import (
    DECISIVE,
    compare,
    flat_tolerance,
    magnitude,
    scales,
)
from portable_models.export.orders import Order, Reference
from portable_models.export.reference_file import Array, ReferenceFile
from portable_models.export.result import Check, ExportResult, Status
from portable_models.export.routes import Way

Answer = Mapping[str, Any]

USUAL = ("random", "sample")
"""Probes that are inputs as the model meets them; the others are edges."""


def judge(
    order: Order,
    way: Way,
    reference: Reference,
    *,
    measured: tuple[Path, Answer] | None,
    measuring: Answer | None,
    writing: Answer,
    running: Answer | None,
    ran: Path | None,
    staged: Path,
) -> ExportResult:
    """The result of one order.

    Args:
        order: what was asked for.
        way: the way that was taken to the target.
        reference: where the source model was run.
        measured: the source model's arrays and their description; None where that failed or was not asked.
        measuring: what the measuring process answered, if there was one.
        writing: what the writing process answered.
        running: what the verifying process answered, if there was one.
        ran: the artifact's arrays, if there are any.
        staged: the artifact in its staging folder.
    """
    common: dict[str, Any] = {
        "target": order.target,
        "route": way.to_dict(),
        "reference": {**vars(reference), "model": order.model.name},
        "seconds": {
            name: answer["seconds"]
            for name, answer in (("measure", measuring), ("write", writing), ("run", running))
            if answer and "seconds" in answer
        },
    }
    for stage, answer in (("the source model", measuring), (order.route.title, writing)):
        if answer is not None and answer["status"] != "done":
            status = Status.REFUSED if answer["status"] == "refused" else Status.FAILED
            reason = answer["reason"] if answer.get("user") else f"{stage}: {answer['reason']}"
            return ExportResult(status=status, reason=reason, **common)
    common["signature"] = writing["signature"]
    common["versions"] = _merged("versions", measured and measured[1], writing, running)
    if not order.verify or measured is None:
        return ExportResult(status=Status.UNVERIFIED, **common, **_placed(order, staged))
    random = measured[1].get("random", {})
    common["notes"] = _notes(measured[1])
    if random and not order.allow_random:
        return ExportResult(status=Status.REFUSED, reason=_is_random(random), **common)
    if running is None or running["status"] != "done" or ran is None:
        why = running["reason"] if running else "the verifier did not answer"
        reason = f"{order.route.title} was written, but does not run: {why}"
        return ExportResult(status=Status.DIFFERENT, reason=reason, **common)
    checks = tuple(_checks(order, measured, ran, writing["signature"]))
    common |= {
        "checks": checks,
        "settings": _merged("settings", running),
        "latency": {
            f"source ({reference.backend})": measured[1]["latency_s"],
            order.route.title: running["latency_s"],
        },
    }
    deciding = [check for check in checks if check.decides]
    wrong = [check for check in deciding if not check.passed]
    compared = [t["name"] for t in writing["signature"]["outputs"] if t["name"] not in random]
    if wrong or (compared and not deciding):
        reason = _explain(wrong, len(deciding))
        return ExportResult(status=Status.DIFFERENT, reason=reason, **common)
    if undecided := _undecided(deciding, compared, measured[1]["precision"]):
        return ExportResult(status=Status.FAILED, reason=undecided, **common)
    if random:
        reason = f"not compared, because random: {', '.join(random)}"
        return ExportResult(
            status=Status.UNVERIFIED, reason=reason, **common, **_placed(order, staged)
        )
    return ExportResult(status=Status.VERIFIED, **common, **_placed(order, staged))


def _is_random(random: Mapping[str, float]) -> str:
    named = ", ".join(f"{name!r} by {value:.1g}" for name, value in random.items())
    return (
        "outputs are random: two runs of the source model on the same inputs differ "
        f"(of their scale: {named}), so they cannot be compared. Give the mean in inference "
        "(training=False), leave these outputs out, or say --allow-random to get an artifact whose random "
        "outputs are not compared"
    )


def _notes(answer: Answer) -> tuple[str, ...]:
    left_out = [f"left out, because the source model fails: {why}" for why in answer["left_out"]]
    return tuple(left_out)


def _placed(order: Order, staged: Path) -> dict[str, Any]:
    return {"path": str(order.out), "files": staging.inventory(staged)}


def _checks(
    order: Order, measured: tuple[Path, Answer], ran: Path, signature: Answer
) -> Iterator[Check]:
    """Every output of every probe, then every gradient."""
    source, artifact = ReferenceFile(measured[0]), ReferenceFile(ran)
    answer = measured[1]
    yield from _same_inputs(answer["signature"], signature)
    probes, names = answer["probes"], [tensor["name"] for tensor in signature["outputs"]]
    expected = [source.outputs(index) for index in range(source.probes)]
    usual = scales(expected, [probe["name"] in USUAL for probe in probes])
    for index, probe in enumerate(probes):
        actual, floors = artifact.outputs(index), source.floors(index)
        for position, name in enumerate(names):
            if name in answer.get("random", {}):
                continue
            scale = max(usual[position], magnitude(expected[index][position]))
            yield compare(
                f"{probe['name']}, batch {probe['batch']}: {name}",
                probe["batch"],
                actual[position],
                expected[index][position],
                scale,
                float(floors[position]),
                answer["precision"],
            )
    if artifact.gradients and source.gradients:
        for check in _gradient_checks(source, artifact.gradients, answer):
            yield replace(check, decides=order.gradients_decide)


def _same_inputs(source: Answer, artifact: Answer) -> Iterator[Check]:
    """A failed check where the two processes took an input for different things."""
    for one, other in zip(source["inputs"], artifact["inputs"], strict=True):
        if one["dtype"] != other["dtype"]:  # an automatic name counts the tensors of its process
            why = f"the source model takes {one['dtype']}, the artifact {other['dtype']}"
            yield Check(f"input {one['name']}", 0, None, 0.0, 0.0, False, why)


def _gradient_checks(
    source: ReferenceFile, actual: Sequence[Array], answer: Answer
) -> Iterator[Check]:
    """One check for each trainable weight.

    The scale is the largest gradient of the whole model: some gradients are nothing but rounding (that of
    a key's bias in attention is zero in exact arithmetic) and have no scale of their own.
    """
    if len(actual) != len(source.gradients):
        count = f"{len(actual)} gradients, the source model has {len(source.gradients)}"
        yield Check("gradients", 0, None, 0.0, 0.0, False, f"the artifact gives {count}")
        return
    scale = max((magnitude(values) for values in source.gradients), default=0.0)
    for name, found, expected, floor in zip(
        answer["trainable"], actual, source.gradients, source.gradient_floors, strict=True
    ):
        batch = answer["probes"][0]["batch"]
        if not found.ndim and not found.any():
            # One zero stands for a weight that is no part of the artifact.
            found = np.zeros_like(expected)
        yield compare(
            f"gradient of {name}", batch, found, expected, scale, float(floor), answer["precision"]
        )


def _undecided(checks: Sequence[Check], outputs: Sequence[str], dtype: str) -> str:
    """Why nothing can be said of an output, where no comparison of it is sharp; empty if there is one.

    In a dtype rougher than float32 the flat tolerance is the sharpest that there is.
    """
    limit = max(DECISIVE * flat_tolerance("float32"), flat_tolerance(dtype))
    for name in outputs:
        usual = [
            check
            for check in checks
            if check.name.startswith(USUAL) and check.name.endswith(f": {name}") and check.scale > 0
        ]
        if not usual:
            return (
                f"nothing can be decided of the output {name!r}: the source model gives zeros for all inputs "
                "that were tried; give inputs as the model meets them (--sample FILE.npz)"
            )
        if min(check.tolerance for check in usual) > limit:
            best = min(usual, key=lambda check: check.tolerance)
            return (
                f"nothing can be decided of the output {name!r}: {best.reason}, so that a fault would go "
                "unseen; give inputs as the model meets them (--sample FILE.npz)"
            )
    return ""


def _explain(wrong: Sequence[Check], count: int) -> str:
    if not count:
        return "no comparison was made"
    first = wrong[0]
    if first.difference is None:
        return f"{len(wrong)} of {count} checks failed; {first.name}: {first.reason}"
    worst = max(wrong, key=lambda check: check.difference or 0.0)
    return (
        f"{len(wrong)} of {count} checks failed; worst is {worst.name}: "
        f"off by {worst.difference:.2e} of the scale, {worst.tolerance:.2e} is allowed"
    )


def _merged(key: str, *answers: Answer | None) -> dict[str, Any]:
    return {
        name: value for answer in answers if answer for name, value in answer.get(key, {}).items()
    }
