"""Rows for numbers that are compared with the judge's, each with the place where its difference begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from backends_matrix.check.compared_quantities import Comparison, differing
from backends_matrix.check.diagnosis import Suspicion, explain_difference
from backends_matrix.check.equality import is_random
from backends_matrix.check.gaps import gap_for
from backends_matrix.check.places import Context, place_of
from backends_matrix.check.result import Check, Kind, Status
from portable_models.known_gaps import KnownGap


def difference_rows(comparisons: Sequence[Comparison], context: Context) -> Iterator[Check]:
    """A row for every comparison."""
    random = {
        member.name
        for member, found in context.findings.items()
        if not member.double and is_random(found)
    }
    wrong = {(each.quantity.check, each.backend) for each in differing(comparisons)}
    for each in comparisons:
        first = each.first
        if random:
            yield Check(
                each.quantity.check,
                each.backend,
                Status.SKIP,
                cause="cannot be compared: the model draws random numbers from outside of Keras",
            )
        elif each.agrees:
            yield Check(
                each.quantity.check,
                each.backend,
                Status.PASS,
                cause=first.note,
                difference=first.difference,
                tolerance=first.tolerance,
            )
        elif each.only_single_losses:
            yield Check(
                each.quantity.check,
                each.backend,
                Status.SKIP,
                Kind.REPORTED,
                "the losses of single outputs are averaged over batches here and over samples "
                "elsewhere, which only their report shows",
                first.name,
                known_gap="loss-of-one-output",
                difference=first.difference,
                tolerance=first.tolerance,
            )
        else:
            yield _explained(each, wrong, context)


def follow_steps(rows: Sequence[Check]) -> list[Check]:
    """What comes after a step that differs is explained by that step, on the same backend."""
    first: dict[str, Check] = {}
    for row in rows:
        if row.name in ("one step", "fit") and row.status is Status.FAIL and row.layer:
            first.setdefault(row.backend, row)
    found = []
    for row in rows:
        step = first.get(row.backend)
        later = row.name in ("fit logs", "state after fit") and row.status is Status.FAIL
        if step is not None and later and not row.known_gap:
            row = replace(
                row,
                kind=step.kind,
                cause=f"it follows from: {step.cause}",
                layer=step.layer,
                file=step.file,
                line=step.line,
                hint=step.hint,
                known_gap=step.known_gap,
            )
        found.append(row)
    return found


def _explained(each: Comparison, wrong: set[tuple[str, str]], context: Context) -> Check:
    check, backend, first = each.quantity.check, each.backend, each.first
    place = place_of(each, wrong, context)
    gap = gap_for(backend, place.names, check)
    suspicion = explain_difference("numbers", context.suspicions) if place.own or not gap else None
    if suspicion is not None and gap is None and _could_be(suspicion, place.own):
        return Check(
            check, backend, Status.FAIL, Kind.AUTHOR, suspicion.reason, place.layer,
            suspicion.file, suspicion.line, suspicion.hint,
            difference=first.difference, tolerance=first.tolerance,
        )  # fmt: skip
    judge = f"float64 on {each.judge.removesuffix('-float64')}"
    what = "in float64 too, so this is no rounding" if each.semantic else ""
    cause = "; ".join(
        part
        for part in (
            f"{place.said} differs from {judge}",
            first.note,
            what,
            gap.reason if gap else "",
        )
        if part
    )
    return Check(
        check, backend, Status.FAIL, Kind.KERAS, cause, place.layer, place.file, place.line,
        _workaround(gap), gap.id if gap else "", first.difference, first.tolerance,
    )  # fmt: skip


def _could_be(suspicion: Suspicion, own: bool) -> bool:
    """Mistakes that change numbers without an exception; a wrong layer of Keras's is none."""
    return own or suspicion.rule in ("host-randomness", "in-place-operator", "backend-branch")


def _workaround(gap: KnownGap | None) -> str:
    return f"known gap {gap.id}" + (f" ({gap.link})" if gap.link else "") if gap else ""
