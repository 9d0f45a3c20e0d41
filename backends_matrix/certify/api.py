"""``certify(...)``: what the command line does, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backends_matrix.certify.certificate import Certificate, SideRecord, Study, judge_sides
from backends_matrix.certify.certificate_file import (
    digest_certificate,
    read_certificate,
    write_certificate,
)
from backends_matrix.certify.dependencies import require_statistics
from backends_matrix.certify.pairs import UnknownMetricError, read_seed
from backends_matrix.certify.planning import SeedPlanner
from backends_matrix.certify.seed_runs import SeedRuns, run_seeds
from backends_matrix.certify.settings import CertifySettings, Side
from backends_matrix.errors import CallError, RunError
from backends_matrix.run.environment import installed
from backends_matrix.run.observer import Observer, Silent
from backends_matrix.run.result import CellResult

LONGEST_DESCRIPTION = 1000
"""Characters; a study may describe its data at any length."""


def certify(
    study: str,
    settings: CertifySettings,
    *,
    against: Path | str | None = None,
    observer: Observer | None = None,
    command: Sequence[str] = (),
) -> Certificate:
    """Show that trainings on several sides reach equivalent results, or that they do not.

    Seeds are trained on every side from the same initial weights, order of samples and masks. Two one-sided
    tests on the paired differences hold them against a margin that was declared before. The certificate is
    also written to ``certificate.json`` in ``settings.out``.

    Args:
        study: a built-in name or ``package.module:object``, with ``/VARIANT`` where it has several variants.
        settings: what is asked for.
        against: a certificate, or its folder; its reference is the reference here, and its seeds are trained.
        observer: called for every epoch and training.
        command: the command line, for the marker in the folder.

    Raises:
        CallError: an unknown study, variant or metric; a certificate that cannot be read or is of something
            else, or lies in ``settings.out``; SciPy or statsmodels is missing; a folder that cannot be
            written to.
        RunError: no backend could be started, or the run was interrupted; finished trainings are kept.

    Example:
        >>> from pathlib import Path
        >>> from backends_matrix.certify import CertifySettings, Margin, certify
        >>> settings = CertifySettings(out=Path("out"), margins={"val_loss": Margin.parse("5%")}, seeds=16)
        >>> certify("regularization/dropout", settings).verdict  # doctest: +SKIP
        <Verdict.EQUIVALENT: 'equivalent within the margin'>
    """
    require_statistics()
    experiment, _, variant = study.partition("/")
    stored, digest = None, ""
    if against is not None:
        place, own = Path(against).resolve(), settings.out.resolve()
        if own in (place, *place.parents):
            raise CallError(
                f"{against} lies in {settings.out}, where the new trainings go; give another --out, so that "
                "a certificate is not held against itself"
            )
        stored, digest = read_certificate(Path(against)), digest_certificate(Path(against))
        variant = variant or stored.study.variant
        _check_question(stored, experiment, variant, settings)
    sides = choose_sides(settings, fewest=1 if stored else 2)
    planner = SeedPlanner(settings, stored)
    watcher = observer or Silent()

    def records(runs: SeedRuns) -> list[SideRecord]:
        own = [_record(side, runs.results[side], settings) for side in runs.results]
        return [_reference_of(stored), *own] if stored else own

    def next_seeds(runs: SeedRuns) -> Sequence[int]:
        told = len(planner.notes)
        seeds = planner.next_seeds(records(runs))
        for note in planner.notes[told:]:
            watcher.note(note)
        return seeds

    runs = run_seeds(experiment, variant, settings, sides, next_seeds, watcher, command)
    if runs.interrupted:
        raise RunError(
            f"interrupted; {runs.finished} of {runs.planned} trainings finished and are kept in "
            f"{settings.out}. The same command with --resume continues from there"
        )
    planner.notes.extend(_reasons(runs))
    found, plan = records(runs), planner.plan
    data = runs.description.get("data", {})
    certificate = Certificate(
        study=Study(
            experiment,
            runs.variant,
            settings.data,
            str(data.get("description", ""))[:LONGEST_DESCRIPTION],
            bool(data.get("synthetic", False)),
            settings.epochs,
        ),
        margins=dict(settings.margins),
        plan=plan,
        sides=found,
        comparisons=judge_sides(found, plan.seeds, settings.margins, plan.alpha, plan.power),
        notes=planner.notes,
        against=digest,
    )
    write_certificate(certificate, settings.out)
    return certificate


def _reasons(runs: SeedRuns) -> list[str]:
    """Why trainings ran otherwise than asked: on another engine, or apart from other seeds."""
    found: dict[str, int] = {}
    for side, results in runs.results.items():
        for each in results.values():
            if each.ok and each.reason:
                text = f"{side.name}: {each.reason}"
                found[text] = found.get(text, 0) + 1
    return [f"{text} ({count} of the seeds)" for text, count in found.items()]


def choose_sides(settings: CertifySettings, fewest: int) -> list[Side]:
    """The sides, the first of them on a backend that is installed.

    Args:
        settings: what is asked for.
        fewest: how many must be there.

    Raises:
        CallError: fewer.
    """
    sides = settings.sides
    if len(sides) < fewest:
        raise CallError(
            f"only one side is given, {sides[0].name}: expected two or more --backends, --pipelines or "
            "--engines, or a certificate to compare with (--against)"
        )
    return sorted(sides, key=lambda side: not installed(side.backend))


def _record(side: Side, results: Mapping[int, CellResult], settings: CertifySettings) -> SideRecord:
    try:
        read = {
            seed: read_seed(result, tuple(settings.margins)) for seed, result in results.items()
        }
    except UnknownMetricError as error:
        raise CallError(str(error)) from None
    environment = next((each.environment for each in results.values() if each.environment), {})
    return SideRecord(
        side.name,
        side.backend,
        side.pipeline,
        side.engine,
        settings.device,
        settings.setup.get(side.backend, ""),
        environment,
        read,
    )


def _reference_of(stored: Certificate) -> SideRecord:
    reference = stored.reference
    suffix = " (certificate)"
    name = reference.name.removesuffix(suffix) + suffix
    return replace(reference, name=name)


def _check_question(
    stored: Certificate, experiment: str, variant: str, settings: CertifySettings
) -> None:
    """Refuse to compare with a certificate of something else, or by another margin than it declares.

    Raises:
        CallError: it is of another study, or its margins are others.
    """
    asked, theirs = (
        f"{experiment}/{variant}",
        f"{stored.study.experiment}/{stored.study.variant}",
    )
    if asked != theirs:
        raise CallError(f"the certificate is of {theirs}; it cannot be compared with {asked}")
    for metric, margin in settings.margins.items():
        declared = stored.margins.get(metric)
        if declared is None:
            known = ", ".join(stored.margins)
            raise CallError(f"the certificate does not hold {metric!r}: expected one of {known}")
        if declared != margin:
            raise CallError(
                f"the certificate declares a margin of {declared.to_text()} for {metric}, and the call one "
                f"of {margin.to_text()}; a margin is declared before the first run, so leave --margin out"
            )
