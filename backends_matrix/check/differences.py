"""Rows for numbers that are compared with the judge's, each with the place where its difference begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backends_matrix.check.compared_quantities import Comparison, differing
from backends_matrix.check.diagnosis import Suspicion, explain_difference
from backends_matrix.check.equality import is_random
from backends_matrix.check.gaps import gap_for
from backends_matrix.check.localise import Culprit, creation_line
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.result import Check, Kind, Status
from portable_models.known_gaps import KnownGap

FORWARD = ("outputs", "outputs of other sizes", "evaluate")
"""Checks whose difference begins in inference; those of all others begin in training."""

STEPPING = ("one step", "fit", "fit logs", "state after fit")


@dataclass
class Places:
    """Where differences begin, by backend.

    Args:
        inference: culprits of a forward pass in inference.
        training: culprits of a forward and backward pass in training.
        localised: backends on which localisation ran.
    """

    inference: Mapping[str, Sequence[Culprit]] = field(default_factory=dict)
    training: Mapping[str, Sequence[Culprit]] = field(default_factory=dict)
    localised: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Context:
    """What an explanation draws on.

    Args:
        findings: of all members.
        suspicions: what the source gives reason to suspect.
        places: where differences begin.
        files: the user's own source files.
        optimizer: class name of the model's optimizer, or "".
        loss: its loss, as text.
        layers: class names of the model's layers by path.
        losing: layers that add losses in a call.
    """

    findings: Mapping[Member, Findings]
    suspicions: Sequence[Suspicion]
    places: Places
    files: Sequence[str]
    optimizer: str
    loss: str
    layers: Mapping[str, str]
    losing: Sequence[str] = ()


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
    variable = each.names.get(first.name, "")
    layer, names, file, line, own, said = _place(each, wrong, context, variable)
    gap = gap_for(backend, names, check)
    suspicion = explain_difference("numbers", context.suspicions) if own or not gap else None
    if suspicion is not None and gap is None and _could_be(suspicion, each, own):
        return Check(
            check, backend, Status.FAIL, Kind.AUTHOR, suspicion.reason, layer,
            suspicion.file, suspicion.line, suspicion.hint,
            difference=first.difference, tolerance=first.tolerance,
        )  # fmt: skip
    judge = f"float64 on {each.judge.removesuffix('-float64')}"
    what = "in float64 too, so this is no rounding" if each.semantic else ""
    cause = "; ".join(
        part
        for part in (f"{said} differs from {judge}", first.note, what, gap.reason if gap else "")
        if part
    )
    return Check(
        check, backend, Status.FAIL, Kind.KERAS, cause, layer, file, line,
        _workaround(gap), gap.id if gap else "", first.difference, first.tolerance,
    )  # fmt: skip


def _could_be(suspicion: Suspicion, each: Comparison, own: bool) -> bool:
    """Mistakes that change numbers without an exception; a wrong layer of Keras's is none."""
    del each
    return own or suspicion.rule in ("host-randomness", "in-place-operator", "backend-branch")


def _workaround(gap: KnownGap | None) -> str:
    return f"known gap {gap.id}" + (f" ({gap.link})" if gap.link else "") if gap else ""


def _place(
    each: Comparison, wrong: set[tuple[str, str]], context: Context, variable: str
) -> tuple[str, list[str], str, int | None, bool, str]:
    """Layer, names for the table of gaps, file, line, whether it is the user's own code, and what differs."""
    check, backend = each.quantity.check, each.backend
    culprits = context.places.inference if check in FORWARD else context.places.training
    found = list(culprits.get(backend, ()))
    if check in FORWARD and not found:
        found = list(context.places.training.get(backend, ())) if check == "evaluate" else []
    gradients_agree = not (
        {(c, backend) for c in ("gradients", "outputs in training", "loss")} & wrong
    )
    if check in STEPPING and gradients_agree and not found:
        layer = _layer_of(variable, context)
        kind = context.layers.get(layer, "")
        file, line = creation_line(context.files, kind, layer)
        said = f"the step of {context.optimizer or 'the optimizer'} on {variable or 'the weights'}"
        if kind == "Embedding":
            return (
                layer,
                [f"{context.optimizer}:{kind}", context.optimizer],
                file,
                line,
                False,
                said,
            )
        return layer, [context.optimizer, f"{context.optimizer}:{kind}"], file, line, False, said
    if found:
        first = found[0]
        file, line = (
            (first.file, first.line)
            if first.line
            else creation_line(context.files, first.name, first.layer)
        )
        inside = f"the {first.what} of {first.name} {first.layer!r}, on the judge's own inputs,"
        return (
            first.layer,
            [first.name],
            file,
            line,
            first.own and "ops." not in first.layer,
            inside,
        )
    loss_differs = ("loss", backend) in wrong or ("evaluate", backend) in wrong
    if loss_differs and not {("outputs in training", backend), ("outputs", backend)} & wrong:
        # All layers agree, so it is a loss that a layer adds, or the loss itself.
        if context.losing:
            layer = context.losing[0]
            kind = context.layers.get(layer, "")
            file, line = creation_line(context.files, kind, layer)
            said = f"the loss that {kind} {layer!r} adds in its call"
            return layer, ["add_loss"], file, line, False, said
        name = _loss_name(context.loss)
        return name, [name], "", None, False, f"the loss {name}"
    layer = _layer_of(variable, context)
    kind = context.layers.get(layer, "")
    file, line = creation_line(context.files, kind, layer)
    whole = "parts agree, whole differs: " if backend in context.places.localised else ""
    names = [_loss_name(context.loss), kind]
    return layer, names, file, line, False, f"{whole}{check} ({variable or each.first.name})"


def _loss_name(loss: str) -> str:
    match = re.search(r"function (\w+)|\.(\w+) object|^(\w+)$", loss)
    return next((each for each in match.groups() if each), loss) if match else loss


def _layer_of(variable: str, context: Context) -> str:
    """The layer that a variable's path begins with."""
    path = variable
    while path:
        if path in context.layers:
            return path
        path = path.rpartition("/")[0]
    return variable.rpartition("/")[0]
