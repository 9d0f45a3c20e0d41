"""The command ``portable certify``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from backends_matrix.certify.dependencies import require_statistics
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.settings import (
    DEFAULT_ALPHA,
    DEFAULT_MOST_SEEDS,
    DEFAULT_PILOT,
    DEFAULT_POWER,
    FEWEST_SEEDS,
    CertifySettings,
)
from backends_matrix.cli.messages import complain
from backends_matrix.cli.options import check_experiments, names
from backends_matrix.cli.progress import ConsoleProgress
from backends_matrix.cli.shared_options import (
    DATA,
    DEVICE,
    JOBS,
    PIPELINES_OPTION,
    SETUP,
    TIMEOUT,
    TRUST,
)
from backends_matrix.errors import CallError
from backends_matrix.report.console import SafeConsole
from backends_matrix.run.cell import BACKENDS, ENGINES
from portable_models.built_in import BUILT_IN


class SeedsOption(click.ParamType[int | None]):
    """A number of seeds, or ``auto``, which asks a pilot."""

    name = "N|auto"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read one value."""
        if value == "auto":
            return None
        text = str(value)
        if not (text.isascii() and text.isdigit() and FEWEST_SEEDS <= int(text) <= 100_000):
            self.fail(
                f"{value!r}: expected auto, or a number from {FEWEST_SEEDS} to 100,000", param, ctx
            )
        return int(text)


@click.command("certify")
@click.argument("study", required=False, metavar="STUDY[/VARIANT]")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="M",
    help="A metric of the last epoch or of the test; may be repeated.",
)
@click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="P%",
    help="P% of the reference's mean, Ppt (percentage points), or a number in the metric's unit; for one "
    "metric METRIC=P%. Declare it before you look at results.",
)
@click.option(
    "--seeds",
    type=SeedsOption(),
    default="auto",
    show_default=True,
    help="Pairs of trainings; auto trains a pilot and takes as many as the declared power needs.",
)
@click.option("--alpha", type=float, help=f"Error rate of all claims. [default: {DEFAULT_ALPHA}]")
@click.option("--power", type=float, help=f"Of the number of seeds. [default: {DEFAULT_POWER}]")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A certificate: its reference, seeds, metrics and margins hold here too.",
)
@click.option(
    "--backends",
    default=",".join(BACKENDS),
    show_default=True,
    callback=names("backend", BACKENDS),
    help="Comma-separated. Sides: all combinations with pipelines and engines; the first is the reference.",
)
@PIPELINES_OPTION
@click.option(
    "--engines",
    default="compiled",
    show_default=True,
    callback=names("engine", ENGINES),
    help=f"Comma-separated, of {', '.join(ENGINES)}.",
)
@DEVICE
@DATA
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the recipe's number.")
@click.option(
    "--pilot", type=click.IntRange(min=FEWEST_SEEDS), default=DEFAULT_PILOT, show_default=True
)
@click.option(
    "--most-seeds",
    type=click.IntRange(min=FEWEST_SEEDS),
    default=DEFAULT_MOST_SEEDS,
    show_default=True,
    help="The most that a pilot may ask for.",
)
@click.option(
    "--seed", "first_seed", type=click.IntRange(min=0, max=2**30), default=0, help="The first seed."
)
@JOBS
@TIMEOUT
@SETUP
@TRUST
@click.option(
    "--resume", is_flag=True, help="Keep the finished trainings of an earlier run in --out."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("portable-certificate"),
    show_default=True,
)
def certify(
    study: str | None,
    metrics: Sequence[str],
    margins: Sequence[str],
    against: Path | None,
    setup: Sequence[tuple[str, str]],
    **options: Any,
) -> None:
    """Show that trainings on several sides reach EQUIVALENT results, within a margin declared before.

    The same seeds are trained on every side, paired: same initial weights, order of samples and masks.

    Exit codes: 0 equivalent within the margin; 1 not equivalent; 2 the call is wrong; 3 undecided, or
    something could not be run.
    """
    require_statistics()
    # A certificate declares the margins, and the call may choose among its metrics.
    chosen = () if margins or against is None else metrics
    declared = {} if chosen else read_margins(metrics, margins)
    if against is not None:
        study, declared, options = _question_of(against, study, declared, chosen, options)
    if study is None:
        raise CallError("no study is given: expected for instance 'portable certify boston/kfold'")
    check_experiments([study.partition("/")[0]])
    asked = {
        **options,
        "alpha": DEFAULT_ALPHA if options["alpha"] is None else options["alpha"],
        "power": DEFAULT_POWER if options["power"] is None else options["power"],
    }
    settings = CertifySettings(margins=declared, setup=dict(setup), **asked)
    _run(study, settings, against)


def read_margins(metrics: Sequence[str], margins: Sequence[str]) -> dict[str, Margin]:
    """The margin of each metric.

    Args:
        metrics: their names.
        margins: ``2%`` for every metric that has none of its own, or ``METRIC=2%``.

    Raises:
        CallError: a metric without a margin, a margin without a metric, or two for one.
    """
    common: list[Margin] = []
    own: dict[str, Margin] = {}
    for text in margins:
        name, _, value = text.rpartition("=")
        if not name:
            common.append(Margin.parse(value))
        elif name in own or name not in metrics:
            problem = (
                "has two margins"
                if name in own
                else f"is not among the metrics ({', '.join(metrics)})"
            )
            raise CallError(f"--margin {text}: {name!r} {problem}")
        else:
            own[name] = Margin.parse(value)
    if len(common) > 1:
        raise CallError("two margins are given for all metrics; write --margin METRIC=P% for each")
    lacking = [name for name in metrics if name not in own]
    if lacking and not common:
        raise CallError(
            f"--metric {lacking[0]} has no margin: expected for instance --margin 2%. How far results may be "
            "apart and still count as equivalent is yours to say, before the run"
        )
    if common and not lacking:
        raise CallError("--margin is given and no --metric that it is for")
    return {name: own.get(name) or common[0] for name in metrics}


def _question_of(
    against: Path,
    study: str | None,
    declared: Mapping[str, Margin],
    chosen: Sequence[str],
    options: Mapping[str, Any],
) -> tuple[str, dict[str, Margin], dict[str, Any]]:
    """What a certificate asks, where the call does not say."""
    from backends_matrix.certify.certificate_file import read_certificate

    stored = read_certificate(against)
    theirs = stored.study
    if study is None:
        if theirs.experiment not in BUILT_IN:
            # A file that came from elsewhere must not decide which code is imported.
            raise CallError(
                f"the certificate is of {theirs.experiment}, which is code of its author's; name it on the "
                f"command line to run it: portable certify {theirs.experiment}/{theirs.variant} "
                f"--against {against}"
            )
        study = f"{theirs.experiment}/{theirs.variant}"
    margins = dict(declared) or dict(stored.margins)
    for name in chosen:
        if name not in margins:
            known = ", ".join(margins)
            raise CallError(f"the certificate does not hold {name!r}: expected one of {known}")
    if chosen:
        margins = {name: margins[name] for name in chosen}
    filled = dict(options)
    given = click.get_current_context().get_parameter_source
    if filled["epochs"] is None:
        filled["epochs"] = theirs.epochs
    if given("first_seed") is not click.core.ParameterSource.DEFAULT:
        raise CallError("--seed and --against exclude each other: the certificate names the seeds")
    if given("data") is click.core.ParameterSource.DEFAULT and theirs.data in ("sample", "full"):
        filled["data"] = theirs.data
    return study, margins, filled


def _run(study: str, settings: CertifySettings, against: Path | None) -> None:
    from backends_matrix.certify.api import certify as make_certificate
    from backends_matrix.certify.pictures import save_pictures
    from backends_matrix.certify.terminal import show

    with ConsoleProgress(SafeConsole(stderr=True)) as observer:
        declared = ", ".join(
            f"{name} within {each.to_text()}" for name, each in settings.margins.items()
        )
        observer.note(
            f"{study}: {declared}, alpha {settings.alpha:g}; results go to {settings.out}"
        )
        certificate = make_certificate(
            study,
            settings,
            against=against,
            observer=observer,
            command=["portable", *sys.argv[1:]],
        )
    show(certificate, settings.out, SafeConsole())
    fault = ""
    try:
        save_pictures(certificate, settings.out)
    except OSError as error:
        fault = f"the pictures cannot be written: {error.strerror or error}"
    except ValueError as error:
        fault = f"the numbers cannot be drawn: {error}"
    if fault:
        complain(fault)
    sys.exit(certificate.exit_code or (3 if fault else 0))
