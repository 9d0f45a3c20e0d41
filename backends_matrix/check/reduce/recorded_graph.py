"""A model's calls, as the judge recorded them, as the graph of a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends_matrix.check.members import Array, Findings, Member
from backends_matrix.check.reduce.case import Case, Given, Node, Reference, prune

MOST_NODES = 40
"""Calls of a graph that is still tried whole; a larger one is tried from its end."""

Call = Mapping[str, Any]


class Recording:
    """The calls of a model and the arrays that went through them.

    Args:
        calls: in the order in which they began.
        arrays: inputs of calls, by ``KEY/INDEX``.
    """

    def __init__(self, calls: Sequence[Call], arrays: Mapping[str, Array]) -> None:
        self.calls = calls
        self._arrays = arrays
        self._by_number = {int(call["number"]): call for call in calls}

    def inputs(self, call: Call) -> list[Array]:
        """What a call was given."""
        found: list[Array] = []
        while (name := f"{call['key']}/{len(found)}") in self._arrays:
            found.append(self._arrays[name])
        return found

    def named(self, path: str) -> list[Call]:
        """The calls of a layer or operation."""
        return [call for call in self.calls if call["path"] == path and call.get("call")]

    def around(self, call: Call) -> Iterator[Call]:
        """The user's own layers that a call lies in, innermost first; they can be written down."""
        number = int(call["parent"])
        while number in self._by_number:
            outer = self._by_number[number]
            if outer.get("call"):
                yield outer
            number = int(outer["parent"])

    def leaves(self) -> list[Call]:
        """Calls that hold no other: layers of Keras's and operations."""
        return [call for call in self.calls if call["leaf"]]

    def outermost(self) -> list[Call]:
        """The user's own layers and whatever lies in none of them; models are gone into."""
        found: list[Call] = []
        inside: set[int] = set()
        for call in self.calls:
            number, parent = int(call["number"]), int(call["parent"])
            if parent in inside:
                inside.add(number)
            elif call.get("call") and parent >= 0:
                inside.add(number)
                found.append(call)
        return found

    def graph(self, calls: Sequence[Call], title: str, backends: Sequence[str]) -> Case | None:
        """The calls as a case; tensors that none of them makes become inputs.

        Returns:
            None where a call cannot be written down, or takes no tensor.
        """
        usable = [call for call in calls if call.get("call")]
        if not usable or len(usable) < len(calls):
            return None
        places = {int(call["number"]): place for place, call in enumerate(usable)}
        inputs: list[Given] = []
        known: dict[tuple[Any, ...], int] = {}
        nodes: list[Node] = []
        definitions: dict[str, None] = {}
        for call in usable:
            sources = []
            given = self.inputs(call)
            for array, producers in zip(given, call["sources"], strict=True):
                made = next((p for p in reversed(producers) if p[0] in places), None)
                if made is not None and places[made[0]] < len(nodes):
                    single = self._by_number[made[0]]["single"]
                    part = None if single else int(made[1])
                    sources.append(Reference(False, places[made[0]], part))
                    continue
                if array.ndim == 0:
                    return None
                key = ("made", *producers[0]) if producers else ("array", array.tobytes())
                if key not in known:
                    known[key] = len(inputs)
                    inputs.append(_given(array))
                sources.append(Reference(True, known[key]))
            layer = call["path"] if call["make"] else ""
            nodes.append(
                Node(
                    layer, call["make"], call["call"], tuple(sources), call["class"],
                    bool(call.get("random")),
                )
            )  # fmt: skip
            definitions |= dict.fromkeys(call.get("definitions", []))
        case = Case(
            title, tuple(nodes), tuple(inputs), tuple(definitions), backends=tuple(backends)
        )
        case = prune(case)
        return case if case.inputs else None


def _given(array: Array) -> Given:
    dtype = "float32" if array.dtype.kind == "f" else str(array.dtype)
    return Given(tuple(array.shape[1:]), dtype, array)


def recordings(findings: Mapping[Member, Findings]) -> Recording | None:
    """What a judge recorded: training, else inference."""
    for name in ("training", "inference"):
        for member, found in findings.items():
            stage = found.stage("record", name)
            if member.double and stage.ok:
                return Recording(stage.data["calls"], stage.group("in"))
    return None


def upstream(calls: Sequence[Call], path: str) -> list[Call]:
    """Calls up to the last one of a layer; all of them where the layer has none among them."""
    last = max((n for n, call in enumerate(calls) if _is_in(call, path)), default=len(calls) - 1)
    return list(calls[: last + 1])[-MOST_NODES:]


def _is_in(call: Call, path: str) -> bool:
    return bool(path) and (call["path"] == path or str(call["path"]).startswith(f"{path}/"))


def without_noise(calls: Sequence[Call]) -> list[Call]:
    """Without layers that only add randomness; what they make is then an input of its own."""
    return [call for call in calls if not ("Dropout" in call["class"] or "Noise" in call["class"])]
