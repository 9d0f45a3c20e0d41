"""What is compared, as groups of arrays, and which judge decides on each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backends_matrix.check.members import Array, Findings, Member
from backends_matrix.check.tolerance import EPSILON, Distance, compare, judges_agree

UNITS_OF = {"float32": EPSILON, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass(frozen=True)
class Quantity:
    """A group of arrays that every backend and every judge has.

    Args:
        check: the check that it belongs to.
        stage: of the phase ``numbers``.
        group: of its arrays.
        move: the group of its movements, or "".
        names: the key of the stage's data that names the arrays, or "".
        steps: it comes after several steps, so that a backend's own movement counts.
    """

    check: str
    stage: str
    group: str
    move: str
    names: str = ""
    steps: bool = False


QUANTITIES = (
    Quantity("outputs", "forward", "outputs", "move"),
    Quantity("outputs of other sizes", "sizes", "outputs", "forward:move"),
    Quantity("outputs in training", "gradients", "outputs", "move.outputs"),
    Quantity("loss", "gradients", "loss", "move.loss"),
    Quantity("gradients", "gradients", "gradients", "move.gradients", "names"),
    Quantity("state", "gradients", "statistics", "move.statistics", "statistics_names"),
    Quantity("one step", "train_on_batch", "weights", "fit:move.weights", "names", steps=True),
    Quantity("fit", "fit", "weights", "move.weights", "names", steps=True),
    Quantity("fit logs", "fit", "logs", "move.logs", steps=True),
    Quantity(
        "state after fit", "fit", "statistics", "move.statistics", "statistics_names", steps=True
    ),
    Quantity("evaluate", "evaluate", "logs", "gradients:move.loss"),
)


@dataclass(frozen=True)
class Comparison:
    """One quantity on one backend.

    Args:
        quantity: what.
        backend: where.
        distances: of every array.
        judge: who decided.
        semantic: two judges in float64 disagree, so the difference is one of meaning and not of rounding.
        names: of the arrays, where they have names.
    """

    quantity: Quantity
    backend: str
    distances: tuple[Distance, ...]
    judge: str
    semantic: bool
    names: Mapping[str, str]

    @property
    def agrees(self) -> bool:
        """Whether all arrays are within their tolerances."""
        return all(each.agrees for each in self.distances)

    @property
    def only_single_losses(self) -> bool:
        """Whether only the losses of single outputs differ, which TensorFlow averages over batches.

        The entry loss-of-one-output of known_gaps.toml: a smaller last batch counts as much as a whole one
        in what is reported, and nothing else is different. The total loss is compared as everything else.
        """
        wrong = [each.name for each in self.distances if not each.agrees]
        names = [name for name in wrong if name.endswith("_loss")]
        return self.quantity.group == "logs" and bool(wrong) and len(names) == len(wrong)

    @property
    def first(self) -> Distance:
        """The first array that differs, in the order of the model; else the one nearest to its tolerance."""
        wrong = [each for each in self.distances if not each.agrees]
        return wrong[0] if wrong else max(self.distances, key=lambda each: each.ratio)


def arrays(found: Findings, quantity: Quantity) -> dict[str, Array]:
    """A quantity's arrays; empty where the stage did not run."""
    return found.stage("numbers", quantity.stage).group(quantity.group)


def movements(found: Findings, quantity: Quantity) -> dict[str, Array]:
    """How far they move on this backend."""
    stage, _, group = quantity.move.rpartition(":")
    stage = stage or quantity.stage
    kept = found.stage("numbers", stage).group(group)
    more = found.stage("moves", stage).group(group)
    kept |= {name: np.fmax(move, more[name]) for name, move in kept.items() if name in more}
    if quantity.check == "evaluate":
        # Every log moves about as the loss does.
        return dict.fromkeys(arrays(found, quantity), kept["0"]) if "0" in kept else {}
    return kept


def choose_judge(
    quantity: Quantity,
    findings: Mapping[Member, Findings],
    before: str = "",
    distrusted: Collection[tuple[str, str]] = (),
) -> tuple[dict[str, Array], str, bool]:
    """The judge's arrays, its name, and whether judges disagree; without any judge the arrays are empty.

    Judges that agree in float64 are right, and where no two agree TensorFlow is, on which Keras was
    written first. A judge whose backend is known to depart from what is documented decides nothing.
    """
    found = {
        m.name: arrays(each, quantity)
        for m, each in findings.items()
        if m.double and (quantity.check, m.backend) not in distrusted
    }
    found = {name: each for name, each in found.items() if each}
    if not found:
        return {}, "", False
    moves = _moves(quantity, findings)
    names = list(found)
    agree = {
        name: [other for other in names if judges_agree(found[name], found[other], moves)]
        for name in names
    }
    best = max(
        names, key=lambda name: (len(agree[name]), name == before, name.startswith("tensorflow"))
    )
    alone = any((quantity.check, m.backend) in distrusted for m in findings if m.double)
    return found[best], best, alone or len(agree[best]) < len(names)


def epsilon_of(findings: Mapping[Member, Findings]) -> float:
    """One unit in the last place of 1, in the roughest type that the model's layers compute in."""
    found = [
        UNITS_OF.get(str(each.stage("build", "weights").data.get("precision", "")), 0.0)
        for member, each in findings.items()
        if not member.double
    ]
    return max(found, default=0.0) or EPSILON


def _moves(quantity: Quantity, findings: Mapping[Member, Findings]) -> list[dict[str, Array]]:
    return [
        movements(found, quantity)
        for member, found in findings.items()
        if not member.double and arrays(found, quantity)
    ]


def compare_all(
    findings: Mapping[Member, Findings], distrusted: Collection[tuple[str, str]] = ()
) -> list[Comparison]:
    """Every quantity on every backend.

    Args:
        findings: of all members.
        distrusted: check and backend of judges that decide nothing there.
    """
    found: list[Comparison] = []
    before: dict[str, str] = {}
    for quantity in QUANTITIES:
        judge, name, semantic = choose_judge(
            quantity, findings, before.get(quantity.stage, ""), distrusted
        )
        before.setdefault(quantity.stage, name)
        moves = _moves(quantity, findings)
        members = [member for member in findings if not member.double]
        reference = ""
        if not judge:
            # No judge ran this: the backends are held against the first of them.
            reference = next((m.name for m in members if arrays(findings[m], quantity)), "")
            judge = next((a for m in members if (a := arrays(findings[m], quantity))), {})
        # A cast of float64 is another one than of float32. Where the judges disagree on whole numbers, all
        # backends are held against what most of them have, so that one that differs is always said.
        usual = {}
        if semantic:
            usual = _usual_whole_numbers([arrays(findings[each], quantity) for each in members])
        judge = {key: usual.get(key, exact) for key, exact in judge.items()}
        for member in members:
            mine = arrays(findings[member], quantity)
            if not mine or not judge or member.name == reference:
                continue
            own = movements(findings[member], quantity) if quantity.steps else None
            spans = findings[member].stage("numbers", quantity.stage).group("span")
            distances = compare(
                mine,
                judge,
                moves,
                own=own,
                epsilon=epsilon_of(findings),
                spans=spans if quantity.steps else {},
            )
            distances = [
                replace(each, note=_BY_MOST) if each.name in usual else each for each in distances
            ]
            stage = findings[member].stage("numbers", quantity.stage)
            labels = stage.data.get(quantity.names, []) if quantity.names else []
            names = {str(index): label for index, label in enumerate(labels)}
            found.append(
                Comparison(
                    quantity, member.name, tuple(distances), name or reference, semantic, names
                )
            )
    return found


_BY_MOST = "held against what most backends have, as the judges disagree on these whole numbers"


def _usual_whole_numbers(given: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Arrays of whole numbers that more than half of the backends have, and not all of them."""
    found: dict[str, Array] = {}
    for name in {name for arrays in given for name in arrays}:
        kept = [arrays[name] for arrays in given if name in arrays]
        for array in kept:
            alike = sum(np.array_equal(array, other) for other in kept)
            if array.dtype.kind not in "fc" and len(kept) / 2 < alike < len(kept):
                found[name] = array
    return found


def differing(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those that are not within their tolerances, but for what is only reported otherwise."""
    return [each for each in comparisons if not each.agrees and not each.only_single_losses]
