"""Where a difference of numbers begins: a layer, an operation, the loss, a metric, or an optimizer's step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends_matrix.check.compared_quantities import Comparison, differing
from backends_matrix.check.diagnosis import Suspicion
from backends_matrix.check.gaps import gap_for
from backends_matrix.check.localise import Culprit, creation_line
from backends_matrix.check.members import Findings, Member

FORWARD = ("outputs", "outputs of other sizes", "evaluate")
"""Checks whose difference begins in inference; those of all others begin in training."""

VALUES = (*FORWARD, "outputs in training", "loss", "state")
"""Checks of what a forward pass computes."""

STEPPING = ("one step", "fit", "fit logs", "state after fit")


@dataclass
class Places:
    """Where differences begin, by backend.

    Args:
        inference: culprits of a forward pass in inference.
        training: culprits of a forward and backward pass in training.
        localised: backends on which localisation ran.
        failing: by backend, path and class of the first layer or operation that fails by itself.
    """

    inference: Mapping[str, Sequence[Culprit]] = field(default_factory=dict)
    training: Mapping[str, Sequence[Culprit]] = field(default_factory=dict)
    localised: frozenset[str] = frozenset()
    failing: Mapping[str, tuple[str, str]] = field(default_factory=dict)


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
        stateful: class names of the recurrent layers that go on from batch to batch, by path.
    """

    findings: Mapping[Member, Findings]
    suspicions: Sequence[Suspicion]
    places: Places
    files: Sequence[str]
    optimizer: str
    loss: str
    layers: Mapping[str, str]
    losing: Sequence[str] = ()
    stateful: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a difference begins.

    Args:
        layer: path of the layer, operation or variable, or the name of the loss or metric.
        names: its names in the table of known gaps, the closest first.
        said: what differs, as the beginning of a sentence.
        file: the user's source file, or "".
        line: its line.
        own: it is the user's own code.
    """

    layer: str
    names: Sequence[str]
    said: str
    file: str = ""
    line: int | None = None
    own: bool = False


def place_of(each: Comparison, wrong: set[tuple[str, str]], context: Context) -> Place:
    """Where a difference begins.

    Args:
        each: a comparison that differs.
        wrong: check and backend of all that differ.
        context: what is known of the target.
    """
    check, backend = each.quantity.check, each.backend
    variable = each.names.get(each.first.name, "")
    if (metric := _metric(each, context)) is not None:
        return metric
    culprits = context.places.inference if check in FORWARD else context.places.training
    found = list(culprits.get(backend, ()))
    if check in FORWARD and not found:
        found = list(context.places.training.get(backend, ())) if check == "evaluate" else []
    if check in VALUES or ("loss", backend) in wrong:
        # No value comes from a gradient that is wrong by itself.
        found = [each for each in found if each.what != "gradients"]
    gradients_agree = not (
        {(c, backend) for c in ("gradients", "outputs in training", "loss")} & wrong
    )
    if check in STEPPING and gradients_agree and not found:
        if context.stateful and ("one step", backend) not in wrong:
            return _carried(context)
        return _step(variable, context)
    if found:
        return _culprit(found[0], context)
    loss_differs = ("loss", backend) in wrong or ("evaluate", backend) in wrong
    if loss_differs and not {("outputs in training", backend), ("outputs", backend)} & wrong:
        # All layers agree, so it is a loss that a layer adds, or the loss itself.
        return _loss(backend, context)
    if check not in FORWARD and (lost := _lost_training(backend, context)):
        said = f"what layers compute to which {lost['class']}.call does not hand training"
        return Place(lost["name"], ["call:training"], said, lost["file"], lost["line"])
    layer = _layer_of(variable, context)
    kind = context.layers.get(layer, "")
    file, line = creation_line(context.files, kind, layer)
    whole = "parts agree, whole differs: " if backend in context.places.localised else ""
    said = f"{whole}{check} ({variable or each.first.name})"
    return Place(layer, [_loss_name(context.loss), kind], said, file, line)


def _metric(each: Comparison, context: Context) -> Place | None:
    """The metric whose value is the first that differs, where the losses agree."""
    wrong = [distance.name for distance in each.distances if not distance.agrees]
    if each.quantity.group != "logs" or not wrong or any(n.endswith("loss") for n in wrong):
        return None
    data = _described(each.backend, context)
    for name, kind in data.get("metrics", {}).items():
        if wrong[0] == name or wrong[0].endswith(f"_{name}"):
            file, line = creation_line(context.files, kind, name)
            return Place(name, [kind], f"the metric {kind} {name!r}", file, line)
    return None


def _carried(context: Context) -> Place:
    """A single step agrees and several do not: what a recurrent layer keeps between them is another state."""
    layer, kind = next(iter(context.stateful.items()))
    file, line = creation_line(context.files, kind, layer)
    said = f"the state that {kind} {layer!r} carries from one batch to the next"
    return Place(layer, [f"stateful:{kind}"], said, file, line)


def _step(variable: str, context: Context) -> Place:
    layer = _layer_of(variable, context)
    kind = context.layers.get(layer, "")
    file, line = creation_line(context.files, kind, layer)
    said = f"the step of {context.optimizer or 'the optimizer'} on {variable or 'the weights'}"
    names = [f"{context.optimizer}:{kind}", context.optimizer]
    return Place(layer, names, said, file, line)


def _culprit(first: Culprit, context: Context) -> Place:
    file, line = (
        (first.file, first.line)
        if first.line
        else creation_line(context.files, first.name, first.layer)
    )
    activation = f" (activation {first.activation})" if first.activation else ""
    said = (
        f"the {first.what} of {first.name}{activation} {first.layer!r}, on the judge's own inputs,"
    )
    if first.what == "input":
        said = f"{first.name} {first.layer!r} changes its input in place, so that what else uses it"
    own = first.own and "ops." not in first.layer
    return Place(first.layer, [first.name, first.activation], said, file, line, own)


def _loss(backend: str, context: Context) -> Place:
    if context.losing:
        layer = context.losing[0]
        kind = context.layers.get(layer, "")
        file, line = creation_line(context.files, kind, layer)
        said = f"the loss that {kind} {layer!r} adds in its call"
        return Place(layer, ["add_loss"], said, file, line)
    name = _loss_name(context.loss)
    known = _described(backend, context).get("loss")
    if known is None:
        return Place(name, [name], f"the loss {name}")
    return Place(name, known["names"], f"the loss {name}", known["file"], known["line"])


def misjudged(comparisons: Sequence[Comparison], context: Context) -> frozenset[tuple[str, str]]:
    """Checks and judges that are wrong themselves: a known gap of the judge's backend explains them.

    Where no two judges agree, what is documented decides; the table of known gaps says who departs from it.
    """
    wrong = {(each.quantity.check, each.backend) for each in differing(comparisons)}
    found = set()
    for each in differing(comparisons):
        judge = each.judge.removesuffix("-float64")
        names = place_of(each, wrong, context).names
        gap = gap_for(judge, names, each.quantity.check) if each.semantic else None
        if gap is not None and each.backend not in gap.backends:
            found |= {(each.quantity.check, backend) for backend in gap.backends}
    return frozenset(found)


def _described(backend: str, context: Context) -> Mapping[str, Any]:
    """What a backend said of its losses and metrics."""
    for member, found in context.findings.items():
        if member.name == backend:
            return found.stage("numbers", "gradients").data
    return {}


def _lost_training(backend: str, context: Context) -> Mapping[str, Any]:
    """The model whose layers are not told that they are trained; empty where they are."""
    for member, found in context.findings.items():
        data = found.stage("numbers", "training argument").data
        if member.name == backend and data.get("lost"):
            return data
    return {}


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
