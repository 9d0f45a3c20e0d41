"""Runs the localisation: a judge records every call, and the backends that differ replay it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backends_matrix.check.compared_quantities import Comparison, differing
from backends_matrix.check.localise import Culprit, Part, errors, first_failing
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.places import FORWARD, Places
from backends_matrix.check.pool import Round


def always(command: Mapping[str, object]) -> Callable[[Member], Mapping[str, object]]:
    """The same command for every member."""
    return lambda member: command


def find_places(
    work: Round,
    backends: Sequence[Member],
    comparisons: Sequence[Comparison],
    say: Callable[[str], None],
) -> tuple[Places, dict[str, list[Part]]]:
    """Feed every layer the judge's own inputs, where something differs or has no gradient.

    Args:
        work: the target on all members.
        backends: those that are checked.
        comparisons: of all quantities.
        say: told when it begins.

    Returns:
        The places, and the error of every part by backend.
    """
    findings = work.findings
    wrong = differing(comparisons)
    failed = [member for member in backends if _has_no_gradient(findings, member)]
    found: dict[bool, dict[str, list[Culprit]]] = {False: {}, True: {}}
    failing: dict[str, tuple[str, str]] = {}
    all_parts: dict[str, list[Part]] = {}
    for training in (False, True):
        here = [each for each in wrong if (each.quantity.check in FORWARD) != training]
        members = [m for m in backends if any(each.backend == m.name for each in here)]
        members += [m for m in failed if training and m not in members]
        judge = _recorder(work, here, training) if members else None
        if judge is None:
            continue
        say("localise")
        order = {"judge": str(findings[judge].folder), "training": training}
        work.run("replay", members, always(order))
        for member in members:
            culprits, parts = errors(findings[judge], findings[member], training)
            found[training][member.name] = culprits
            all_parts.setdefault(member.name, parts)
            if member in failed and (first := first_failing(findings[member])):
                failing[member.name] = first
    localised = frozenset(name for name, parts in all_parts.items() if parts)
    return Places(found[False], found[True], localised, failing), all_parts


def _has_no_gradient(findings: Mapping[Member, Findings], member: Member) -> bool:
    """Whether the backward pass has failed on a backend, and ran elsewhere."""
    stages = {m: found.stage("numbers", "gradients") for m, found in findings.items()}
    return stages[member].status == "failed" and any(each.ok for each in stages.values())


def _recorder(work: Round, wrong: Sequence[Comparison], training: bool) -> Member | None:
    """A judge with a recording; the one that decided, if it can."""
    decided = [each.judge for each in wrong]
    judges = sorted((m for m in work.findings if m.double), key=lambda m: m.name not in decided)
    name = "training" if training else "inference"
    for judge in judges:
        work.run("record", [judge], lambda member: {"training": training})
        if work.findings[judge].stage("record", name).ok:
            return judge
    return None
