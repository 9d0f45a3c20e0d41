"""What a person sees of a certificate: a table, a line for each comparison, and the verdict."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backends_matrix.certify.certificate import Certificate
from backends_matrix.certify.certificate_file import FILE_NAME
from backends_matrix.certify.margin import MarginKind
from backends_matrix.certify.verdict import Comparison, Verdict
from backends_matrix.report.records import showable

_STYLES = {
    Verdict.EQUIVALENT: "green",
    Verdict.NOT_EQUIVALENT: "bold red",
    Verdict.UNDECIDED: "yellow",
    Verdict.NOT_PAIRED: "bold red",
}


def show(certificate: Certificate, folder: Path, console: Console) -> None:
    """Print a certificate.

    Args:
        certificate: what is shown.
        folder: where its files are.
        console: where it is printed.
    """
    table = Table(
        "metric", "side", f"difference, {_level(certificate)} interval", "margin", "verdict"
    )
    for each in certificate.comparisons:
        table.add_row(
            *(Text(str(showable(text))) for text in _row(each)), style=_STYLES[each.verdict]
        )
    console.print(table)
    for line in lines(certificate):
        console.print(Text(str(showable(line))), soft_wrap=True, highlight=False)
    console.print(Text(f"verdict: {certificate.verdict}; {folder / FILE_NAME}"), soft_wrap=True)


def lines(certificate: Certificate) -> list[str]:
    """What the table does not hold, in sentences."""
    found = [_explain(each) for each in certificate.comparisons]
    plan = certificate.plan
    if plan.wanted is not None:
        alone = f"; unpaired seeds would be {plan.wanted_unpaired}" if plan.wanted_unpaired else ""
        found.append(
            f"pilot of {len(plan.pilot)} seeds: {plan.wanted} pairs show equal sides to be equivalent with a "
            f"power of {plan.power:g}{alone}"
        )
    if certificate.study.synthetic:
        found.append(f"data: {certificate.study.description}")
    return [*found, *certificate.notes]


def _row(found: Comparison) -> tuple[str, ...]:
    tests = found.tests
    ends = [in_unit(found, end) for end in tests.interval] if tests else []
    return (
        found.metric,
        found.side,
        f"{in_unit(found, tests.estimate)} [{', '.join(ends)}]" if tests else "",
        found.margin.to_text(),
        found.verdict.value,
    )


def _explain(found: Comparison) -> str:
    said = f"{found.metric}, {found.side}: {found.verdict}: {found.why}"
    tests = found.tests
    if tests is not None and found.means is not None:
        said += (
            f"; means {found.means[0]:.6g} on {found.reference} and {found.means[1]:.6g} over "
            f"{len(found.seeds)} seeds; p of equivalence {tests.equivalence:.2g}, by ranks "
            f"{tests.equivalence_by_ranks:.2g}, corrected {found.equivalence_p:.2g}"
        )
        if tests.correlation is not None and tests.seeds_share is not None:
            said += (
                f"; the sides correlate by {tests.correlation:.3f} over seeds, so pairs need "
                f"{100 * tests.seeds_share:.2g} % of the seeds that unpaired trainings would"
            )
    if found.counts is not None:
        counts = found.counts
        said += (
            f"; right answers {counts.reference:,} and {counts.other:,} of {counts.answers:,} "
            f"(by counts alone p = {counts.equivalence:.2g})"
        )
    if found.diverged[2]:
        said += f"; {found.diverged[2]} seeds diverge on both sides and are left out"
    return said


def in_unit(found: Comparison, value: float, *, signed: bool = True) -> str:
    """A difference in the unit of the comparison's margin."""
    sign = "+" if signed else ""
    if found.margin.kind is MarginKind.RELATIVE:
        return f"{100 * value:{sign}.2g} %"
    return f"{value:{sign}.2g}"


def _level(certificate: Certificate) -> str:
    return f"{100 * (1 - 2 * certificate.plan.alpha):g} %"
