"""Contradictions in a document whose every field has the right type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]


def contradictions(document: Entry) -> Iterator[str]:
    """Yield each contradiction of a document as a sentence."""
    yield from _of_comparisons(document["comparisons"])
    verdict = document["verdict"]
    verdicts = [each["verdict"] for each in document["comparisons"]]
    if verdict == "agree" and "differs" in verdicts:
        index = verdicts.index("differs")
        yield f"its verdict is 'agree' and comparisons[{index}] says 'differs'"
    if verdict == "differ" and "differs" not in verdicts:
        yield "its verdict is 'differ' and no comparison says 'differs'"
    if verdict == "agree" and not verdicts:
        yield "its verdict is 'agree' and it holds no comparison"
    if verdict == "agree" and document.get("interrupted"):
        yield "its verdict is 'agree' and the run was interrupted"
    if verdict == "agree":
        compared = {(each["experiment"], each["variant"]) for each in document["comparisons"]}
        for index, cell in enumerate(document["cells"]):
            diverged = (
                cell["status"] == "diverged" and (cell["experiment"], cell["variant"]) in compared
            )
            if cell["status"] != "ok" and not diverged and "runs" not in document:
                yield f"its verdict is 'agree' and cells[{index}] is {cell['status']!r}"
                return


def _of_comparisons(comparisons: list[Entry]) -> Iterator[str]:
    for index, each in enumerate(comparisons):
        difference, tolerance = each["difference"], each["tolerance"]
        if difference is None or tolerance is None:
            continue
        if each["verdict"] == "agrees" and difference > tolerance:
            yield f"comparisons[{index}] says 'agrees' and its difference is above its tolerance"
        if each["verdict"] == "differs" and difference <= tolerance:
            yield f"comparisons[{index}] says 'differs' and its difference is within its tolerance"
