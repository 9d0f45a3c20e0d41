"""From what the processes answered to one result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from portable_models.export import staging
from portable_models.export.comparison import compare, magnitude, scales
from portable_models.export.orders import Order, Reference
from portable_models.export.reference_file import Array, ReferenceFile
from portable_models.export.result import Check, ExportResult, Status

Answer = Mapping[str, Any]


def judge(
    order: Order,
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
        "route": order.route.to_dict(),
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
    if running is None or running["status"] != "done" or ran is None:
        why = running["reason"] if running else "the verifier did not answer"
        reason = f"{order.route.title} was written, but does not run: {why}"
        return ExportResult(status=Status.DIFFERENT, reason=reason, **common)
    checks = tuple(_checks(measured, ran, writing["signature"]))
    common |= {
        "checks": checks,
        "settings": _merged("settings", running),
        "latency": {
            f"source ({reference.backend})": measured[1]["latency_s"],
            order.route.title: running["latency_s"],
        },
    }
    wrong = [check for check in checks if not check.passed]
    if wrong or not checks:
        reason = _explain(wrong, len(checks))
        return ExportResult(status=Status.DIFFERENT, reason=reason, **common)
    return ExportResult(status=Status.VERIFIED, **common, **_placed(order, staged))


def _placed(order: Order, staged: Path) -> dict[str, Any]:
    return {"path": str(order.out), "files": staging.inventory(staged)}


def _checks(measured: tuple[Path, Answer], ran: Path, signature: Answer) -> Iterator[Check]:
    """Every output of every probe, then every gradient."""
    source, artifact = ReferenceFile(measured[0]), ReferenceFile(ran)
    probes, names = measured[1]["probes"], [tensor["name"] for tensor in signature["outputs"]]
    expected = [source.outputs(index) for index in range(source.probes)]
    usual = scales(expected, [probe["name"] == "random" for probe in probes])
    for index, probe in enumerate(probes):
        actual, floors = artifact.outputs(index), source.floors(index)
        for position, name in enumerate(names):
            scale = max(usual[position], magnitude(expected[index][position]))
            yield compare(
                f"{probe['name']}, batch {probe['batch']}: {name}",
                probe["batch"],
                actual[position],
                expected[index][position],
                scale,
                float(floors[position]),
            )
    if artifact.gradients:
        yield from _gradient_checks(source, artifact.gradients, measured[1])


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
        yield compare(f"gradient of {name}", batch, found, expected, scale, float(floor))


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
