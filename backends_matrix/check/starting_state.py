"""Rows for what every process begins with: inputs, weights, and the order of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from backends_matrix.check.blamed_rows import blamed
from backends_matrix.check.diagnosis import Suspicion
from backends_matrix.check.members import Array, Findings, Member, Stage
from backends_matrix.check.result import Check, Kind, Status


def starting_rows(
    backends: Mapping[Member, Findings], suspicions: Sequence[Suspicion], reference: Member
) -> Iterator[Check]:
    """Inputs and initial weights must be equal in every bit."""
    if reference not in backends:
        return
    for check, stage, group in (
        ("same inputs", "inputs", "x"),
        ("initial weights", "weights", "weights"),
    ):
        kept = backends[reference].stage("build", stage)
        exact = kept.group(group)
        for member, found in backends.items():
            mine = found.stage("build", stage)
            if not mine.ok or not kept.ok:
                continue
            other = _in_order(mine, kept, group)
            wrong = [
                name
                for name, array in exact.items()
                if name not in other
                or not np.array_equal(array, other[name], equal_nan=array.dtype.kind == "f")
            ]
            # The states of seed generators are of another integer type on torch, and equal in value.
            if not wrong and len(exact) == len(other):
                yield Check(check, member.name, Status.PASS)
                continue
            names = kept.data.get("names", [])
            first = wrong[0] if wrong else ""
            layer = names[int(first)] if first.isdigit() and int(first) < len(names) else ""
            cause = f"{len(wrong) or 'other'} of {len(exact)} arrays differ from those of {reference.name}"
            yield blamed(check, member.name, "weights", suspicions, cause, layer=layer)
    yield from _order(backends, reference)


def _in_order(mine: Stage, kept: Stage, group: str) -> dict[str, Array]:
    """A process's arrays under the reference's numbers, where both name the same variables."""
    arrays = mine.group(group)
    own, wanted = mine.data.get("names", []), kept.data.get("names", [])
    if own == wanted or sorted(own) != sorted(wanted):
        return arrays
    places = {path: place for place, path in enumerate(numbered(own))}
    return {str(place): arrays[str(places[path])] for place, path in enumerate(numbered(wanted))}


def numbered(paths: Sequence[str]) -> list[tuple[str, int]]:
    """Every path with how often it came before."""
    return [(path, list(paths[:place]).count(path)) for place, path in enumerate(paths)]


def _order(backends: Mapping[Member, Findings], reference: Member) -> Iterator[Check]:
    """Whether ``get_weights`` gives the same list everywhere."""
    wanted = backends[reference].stage("build", "weights").data.get("weights", [])
    for member, found in backends.items():
        own = found.stage("build", "weights").data.get("weights", [])
        if not own or sorted(own) != sorted(wanted):
            continue
        if own == wanted:
            yield Check("order of weights", member.name, Status.PASS)
            continue
        place = next(n for n, path in enumerate(wanted) if own[n] != path)
        cause = (
            f"get_weights gives {own[place]} in place {place}, where {reference.name} gives "
            f"{wanted[place]}: a list of one is wrong for set_weights of the other"
        )
        yield Check(
            "order of weights",
            member.name,
            Status.FAIL,
            Kind.KERAS,
            cause,
            own[place].rpartition("/")[0],
            hint="exchange weights by files, or by the variables' paths",
        )
