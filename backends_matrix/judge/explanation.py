"""Name the kind of a difference: the first part of a training that is not the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.steps import KINDS

DIGESTS = {
    "recipe": "recipe",
    "data": "data",
    "order": "order",
    "batches": "batches",
    "random_bits": "randomness",
    "initial_weights": "randomness",
    "dropout_masks": "randomness",
}
STEPS = {
    "outputs": "forward",
    "loss": "loss",
    "statistics": "statistics",
    "gradient": "gradient",
    "update": "optimizer",
    "metric": "metric",
}
MEANING = {
    "recipe": "the settings of the training are not the same",
    "data": "the data are not the same",
    "order": "the samples come in another order",
    "batches": "training is handed other batches: other samples, or samples prepared otherwise",
    "randomness": "initial weights or random numbers are not the same",
    "forward": "the model puts out something else from the same weights and batch",
    "loss": "the loss of the same outputs is another one",
    "statistics": "a layer's running statistics are updated otherwise",
    "gradient": "outputs and loss are the same, their gradient is not",
    "optimizer": "the optimizer makes another update of the same gradients",
    "metric": "training is the same, a metric is computed or gathered otherwise",
    "rounding": "no single step differs beyond rounding; it has accumulated, or lies between the steps",
    "unexplained": "the metrics differ; single steps were not compared",
}


@dataclass(frozen=True)
class Explanation:
    """The kind of difference that one backend shows in one variant.

    Args:
        experiment: name of the experiment.
        variant: name of the variant.
        backend: the backend that differs.
        kind: a key of ``MEANING``.
        sentence: for people.
        epoch: epoch of the first difference of this kind, or None.
        step: steps made before it, or None.
    """

    experiment: str
    variant: str
    backend: str
    kind: str
    sentence: str
    epoch: int | None
    step: int | None


def kind_of(comparison: Comparison, explanations: Iterable[Explanation]) -> str:
    """The kind of a comparison: what it is of, or, for a metric that differs, what explains that.

    Args:
        comparison: the comparison.
        explanations: of the same run.

    Returns:
        A key of ``MEANING``; "metric" for a metric that nothing else explains.
    """
    if comparison.level == 0:
        return DIGESTS.get(comparison.quantity, "data")
    if comparison.level == 1:
        return STEPS[comparison.quantity.split(" ")[0]]
    if comparison.verdict is Agreement.DIFFERS:
        place = (comparison.experiment, comparison.variant, comparison.backend)
        for each in explanations:
            if (each.experiment, each.variant, each.backend) == place:
                return each.kind
    return "metric"


def explain(comparisons: Iterable[Comparison]) -> list[Explanation]:
    """One explanation for each backend and variant in which anything differs."""
    groups: dict[tuple[str, str, str], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.experiment, each.variant, each.backend), []).append(each)
    return [
        _explain(group)
        for group in groups.values()
        if any(each.verdict is Agreement.DIFFERS for each in group)
    ]


def _without_step(group: list[Comparison], first: Comparison) -> str:
    """The kind of a difference in metrics where no single step differs."""
    if not any(each.level == 1 for each in group):
        return "unexplained"
    # Rounding takes time to grow. What is there at once, lies in how a metric is gathered over an epoch.
    return "metric" if first.epoch == 1 else "rounding"


def _explain(group: list[Comparison]) -> Explanation:
    differing = [each for each in group if each.verdict is Agreement.DIFFERS]
    digests = [each for each in differing if each.level == 0]
    steps = [each for each in differing if each.level == 1]
    if digests:
        order = list(DIGESTS)
        first = min(
            digests, key=lambda each: order.index(each.quantity) if each.quantity in order else 0
        )
        kind, thing = DIGESTS.get(first.quantity, "data"), first.quantity.replace("_", " ")
    elif steps:
        first = min(
            steps, key=lambda each: (each.step or 0, KINDS.index(each.quantity.split(" ")[0]))
        )
        kind, thing = STEPS[first.quantity.split(" ")[0]], first.quantity
    else:
        first = min(differing, key=lambda each: each.epoch or 0)
        kind, thing = _without_step(group, first), first.quantity
    # An update is of the variable that it begins in.
    told = f"update of {first.layer}" == thing
    where = f"; it begins in {first.layer}" if first.layer and not told else ""
    known = f"; known gap of Keras: {first.known_gap}" if first.known_gap else ""
    at = f" at epoch {first.epoch}" if first.epoch else ""
    at += f", after {first.step} steps" if first.step is not None else ""
    return Explanation(
        first.experiment,
        first.variant,
        first.backend,
        kind,
        f"{kind}: {MEANING[kind]} ({thing} on {first.backend}{at}{where}{known})",
        first.epoch,
        first.step,
    )
