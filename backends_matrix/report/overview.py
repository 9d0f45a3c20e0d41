"""The parts of a report that every rendering shows: rows, states of cells, claims, examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backends_matrix.report.records import (
    Cell,
    Claim,
    Comparison,
    Data,
    Example,
    Report,
    Verdict,
)
from backends_matrix.report.tally import Tally, grouped, summed
from backends_matrix.report.wording import count, holds, share_text


@dataclass(frozen=True)
class State:
    """The state that a place in the matrix shows: a kind (for the colour) and words.

    ``kind`` is one of agrees, differs, undecidable, reference, ran, error and absent; ``detail`` is how much
    of its tolerance the worst comparison takes, or what it is of.
    """

    kind: str
    text: str
    detail: str = ""


@dataclass(frozen=True)
class Row:
    """One variant: what is shown of it, and by which cell of each backend."""

    experiment: str
    variant: str
    title: str
    quantities: Sequence[str]
    cells: Mapping[str, Cell | None]
    agreement: Tally


@dataclass(frozen=True)
class ClaimRow:
    """One published finding and what each backend says of it."""

    experiment: str
    statement: str
    published: str
    findings: Mapping[str, Claim]

    @property
    def holds(self) -> bool | None:
        """None if no backend evaluated it; else whether it holds on all that did."""
        known = [claim.holds for claim in self.findings.values() if claim.holds is not None]
        return all(known) if known else None

    @property
    def text(self) -> str:
        """Yes, no, not evaluated; or yes on some backends only."""
        known = [claim.holds for claim in self.findings.values() if claim.holds is not None]
        if not known:
            return "not evaluated"
        return "yes" if all(known) else "on some" if any(known) else "no"


@dataclass(frozen=True)
class ExampleRow:
    """One decoded sample and each backend's prediction."""

    text: str
    label: float | None
    predictions: Mapping[str, Example]


def backends(report: Report) -> list[str]:
    """All backends that the report speaks of, in its order."""
    asked = [*report.environment["backends"], *(cell.backend for cell in report.cells)]
    return list(dict.fromkeys(asked))


def shown_cells(report: Report) -> list[Cell]:
    """The cells that tables list: replicas only measure the noise floor."""
    return [cell for cell in report.cells if cell.replica == 0]


def pipelines(report: Report) -> list[str]:
    """The pipelines that occur, in the report's order."""
    return list(dict.fromkeys(cell.pipeline for cell in shown_cells(report)))


def variants(report: Report, experiment: str) -> dict[str, str]:
    """Name and title of each variant, those that only cells name included."""
    found = report.experiments[experiment].variants
    titles = {variant.name: variant.title for variant in found}
    asked = {variant.name: variant.recipe.get("epochs") for variant in found}
    ran: dict[str, set[int]] = {}
    for cell in shown_cells(report):
        if cell.experiment == experiment:
            titles.setdefault(cell.variant, "")
            ran.setdefault(cell.variant, set()).update(map(len, cell.history.values()))
    for variant, epochs in ran.items():
        # A study's title names the epochs of its recipe; on samples and with --epochs there are others.
        if isinstance(asked.get(variant), int) and epochs and epochs != {asked[variant]}:
            titles[variant] += f" (here {count(max(epochs), 'epoch')})"
    return titles


def lead_cell(report: Report, experiment: str, variant: str, backend: str) -> Cell | None:
    """The cell whose figures stand for a backend: its first with results, else its first."""
    cells = [
        cell
        for cell in shown_cells(report)
        if (cell.experiment, cell.variant, cell.backend) == (experiment, variant, backend)
    ]
    return next((cell for cell in cells if cell.ok), cells[0] if cells else None)


def rows(report: Report, experiment: str) -> list[Row]:
    """The variants of an experiment, with what is shown of each."""
    compared = grouped(
        (entry for entry in report.comparisons if entry.experiment == experiment),
        lambda entry: entry.variant,
    )
    found = []
    for variant, title in variants(report, experiment).items():
        cells = {name: lead_cell(report, experiment, variant, name) for name in backends(report)}
        quantities = shown_quantities([cell for cell in cells.values() if cell and cell.ok])
        agreement = summed(compared.get(variant, ()))
        found.append(Row(experiment, variant, title, quantities, cells, agreement))
    return found


def shown_quantities(cells: Sequence[Cell]) -> list[str]:
    """A loss and a metric that stand for a variant.

    What was measured on the test set goes before means over folds, those before the last epoch's
    validation, and that before the training's own figures.
    """
    final = dict.fromkeys(name for cell in cells for name in cell.final)
    history = dict.fromkeys(name for cell in cells for name in cell.history)
    tiers = [
        [name for name in final if name.startswith("test_")],
        [name for name in final if name.startswith("mean_")],
        [name for name in history if name.startswith("val_")],
        [name for name in final if not name.startswith("fold_")],
        list(history),
        list(final),
    ]
    ranked = [name for tier in tiers for name in tier]
    loss = [name for name in ranked if name.endswith("loss")][:1]
    metric = [name for name in ranked if not name.endswith("loss")][:1]
    return loss + metric


def last_value(cell: Cell, quantity: str) -> float | None:
    """The value measured after training, else that of the last epoch."""
    if quantity in cell.final:
        return cell.final[quantity]
    points = cell.history.get(quantity, ())
    return points[-1] if points else None


def place(comparison: Comparison) -> tuple[str, str, str, str]:
    """The cell that a comparison judges."""
    return comparison.experiment, comparison.variant, comparison.backend, comparison.pipeline


def state(cell: Cell | None, report: Report, judged: Sequence[Comparison]) -> State:
    """The state that a cell's place in the matrix shows.

    Args:
        cell: the cell, or None where none was planned.
        report: the report that it belongs to.
        judged: the comparisons at its :func:`place`.
    """
    if cell is None:
        return State("absent", "not run")
    if cell.is_failure(report.compared):
        return State("error", cell.status)
    agreement = summed(judged)
    if agreement.verdict is not None:
        limited = agreement.verdict is Verdict.AGREES and agreement.undecidable
        kind = "undecidable" if limited else agreement.verdict.value
        return State(kind, agreement.text, share_text(agreement.worst))
    serves = any(
        (entry.experiment, entry.variant, entry.reference)
        == (cell.experiment, cell.variant, cell.backend)
        for entry in report.comparisons
    )
    # Also where the others have no result to compare with it, so that it looks the same in every row.
    several = len(backends(report)) > 1 and cell.pipeline == pipelines(report)[0]
    if serves or (several and cell.backend == report.reference):
        return State("reference", "reference")
    return State("ran", "not compared")


def claim_rows(report: Report) -> list[ClaimRow]:
    """The claims, each with what the backends say of it."""
    by_statement = grouped(report.claims, lambda claim: (claim.experiment, claim.statement))
    return [
        ClaimRow(name, statement, claims[0].published, {claim.backend: claim for claim in claims})
        for (name, statement), claims in by_statement.items()
    ]


def measured_lines(claim: ClaimRow) -> list[str]:
    """The measured figures, once if all backends agree, and why some backends have none."""
    known = {name: each for name, each in claim.findings.items() if each.holds is not None}
    unknown = {name: each for name, each in claim.findings.items() if each.holds is None}
    lines = [
        f"{name}: {holds(each.holds)}{', ' if each.measured else ''}{each.measured}"
        for name, each in known.items()
    ]
    if len({(each.holds, each.measured) for each in known.values()}) == 1:
        lines = [next(iter(known.values())).measured]
    same_reason = grouped(unknown.items(), lambda item: item[1].reason)
    for reason, items in same_reason.items():
        told = reason or "not evaluated"
        names = ", ".join(name for name, _ in items)
        lines.append(told if len(items) == len(claim.findings) else f"{names}: {told}")
    return lines


def example_rows(report: Report, experiment: str) -> list[ExampleRow]:
    """The decoded samples of an experiment, each with the backends' predictions."""
    own = [example for example in report.examples if example.experiment == experiment]
    by_text = grouped(own, lambda example: (example.text, example.label))
    return [
        ExampleRow(text, label, {example.backend: example for example in examples})
        for (text, label), examples in by_text.items()
    ]


def data_text(data: Data) -> str:
    """The description of the data, with the numbers of samples if it lacks them."""
    sizes = [
        f"{size:,} {use}"
        for size, use in ((data.train, "to train on"), (data.test, "to test on"))
        if size is not None and f"{size:,}" not in data.description
    ]
    return ", ".join([data.description, *sizes])


def extent(report: Report) -> str:
    """The size of the run, in one line."""
    shown = shown_cells(report)
    variant_count = len({(cell.experiment, cell.variant) for cell in shown})
    parts = [
        count(len(report.experiments), "experiment"),
        count(variant_count, "variant"),
        count(len(backends(report)), "run" if report.runs else "backend"),
        count(len(pipelines(report)), "pipeline"),
        count(len(shown), "cell"),
    ]
    replicas = len(report.cells) - len(shown)
    if replicas:
        parts.append(count(replicas, "replica for the noise floor", "replicas for the noise floor"))
    return ", ".join(parts)
