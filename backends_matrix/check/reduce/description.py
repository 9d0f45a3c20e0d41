"""A reduced failure in words, as an issue would say it."""

from __future__ import annotations

from backends_matrix.check.reduce.case import Case, Shown
from backends_matrix.check.reduce.trial import Failure
from backends_matrix.check.result import Check


def describe(case: Case, failure: Failure, check: Check, script: str) -> str:
    """The description, as Markdown.

    Args:
        case: what the script shows.
        failure: how it differs.
        check: what was found in the whole model.
        script: file name of the script.
    """
    calls = "\n".join(
        f"- `{node.make or node.call}`" + (" (draws random numbers)" if node.draws else "")
        for node in case.nodes
    )
    shapes = ", ".join(f"`{(case.batch, *each.shape)}` {each.dtype}" for each in case.inputs)
    pairs = ", ".join(sorted(" and ".join(pair) for pair in failure.pairs))
    far = (
        "shapes, or the places of NaN, differ"
        if failure.difference == float("inf")
        else f"the largest relative difference is {failure.difference:.2g}, where rounding accounts "
        f"for about 1e-6"
    )
    what = {
        Shown.STEP: "prints what the model puts out, and its weights and state after one step of "
        "training, on each backend",
        Shown.FILE: "writes a `.keras` file on each backend, reads it on each, and prints what both "
        "models put out",
        Shown.RESUMED: "writes a `.keras` file on each backend, reads it on each, and prints the "
        "weights after one more step",
        Shown.WEIGHTS_FILE: "writes a weights file on each backend, reads it on each, and prints what "
        "both models put out",
    }[case.shown]
    return (
        f"# {case.title}\n\n"
        f"The {failure.part} differ between {pairs}: {far}.\n\n"
        f"## The model\n\n{calls}\n\nwith inputs of {shapes}.\n\n"
        f"## To reproduce\n\n    python {script}\n\n"
        f"It needs Keras, NumPy and the backends ({', '.join(case.backends)}). It starts a process "
        f"for each backend and {what}.\n\n"
        f"## What was found in the whole model\n\n"
        f"{check.name} on {check.backend}: {check.cause}.\n"
    )
