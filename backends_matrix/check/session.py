"""One target from its import to its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from backends_matrix.check.compared_quantities import compare_all, differing
from backends_matrix.check.compile_rows import compile_rows, follow_configuration
from backends_matrix.check.consequences import (
    blame_tensorflow_inside,
    follow_mistakes,
    name_layers,
    share_explanations,
)
from backends_matrix.check.diagnosis import Suspicion, read_suspicions
from backends_matrix.check.differences import difference_rows, follow_steps
from backends_matrix.check.equality import equality_rows
from backends_matrix.check.expected import apply_expectations
from backends_matrix.check.exports import export_rows
from backends_matrix.check.layer_table import model_summary
from backends_matrix.check.localise import Part
from backends_matrix.check.members import JUDGES, Findings, Member
from backends_matrix.check.places import FORWARD, Context, Places, misjudged
from backends_matrix.check.pool import Pool, Round
from backends_matrix.check.reduce import reduce_failures
from backends_matrix.check.replaying import always, find_places
from backends_matrix.check.result import (
    ERROR,
    Check,
    Kind,
    Reduced,
    Status,
    TargetResult,
    verdict_of,
)
from backends_matrix.check.rows import stage_rows
from backends_matrix.check.save_and_load import crossing_rows
from backends_matrix.check.settings import CheckSettings
from backends_matrix.check.target import Target
from backends_matrix.check.warning_rows import warning_rows

Progress = Callable[[str], None]


def needed_backends(settings: CheckSettings, installed: Sequence[str]) -> list[str]:
    """The backends to import: those that are checked, and one that can judge."""
    wanted = [name for name in settings.backends if name in installed]
    if wanted and JUDGES[0] not in wanted:
        wanted += [name for name in JUDGES[:2] if name in installed and name not in wanted][:1]
    return wanted


def check_target(
    target: Target, settings: CheckSettings, pool: Pool, progress: Progress
) -> TargetResult:
    """Check one target; whatever it does, this returns."""
    begin = time.perf_counter()
    with pool.open(target, settings) as work:
        session = _Session(target, settings, pool, work, progress)
        checks = session.run()
        scripts: list[Reduced] = []
        if settings.reduce is not None:
            progress("reduce")
            scripts = session.reduce(checks, settings.reduce)
        checks = apply_expectations(checks, settings.expected)
        return TargetResult(
            target.name,
            _verdict(checks, session),
            tuple(checks),
            time.perf_counter() - begin,
            _reason(checks),
            session.model(),
            tuple(scripts),
        )


def _verdict(checks: Sequence[Check], session: _Session) -> str:
    """A target that no backend could begin with is an error; nothing is known of its portability."""
    return ERROR if session.began_nowhere and not session.mistakes else verdict_of(checks)


def _reason(checks: Sequence[Check]) -> str:
    failed = [each for each in checks if each.status is Status.FAIL]
    first = next(
        (each for each in failed if each.kind is Kind.AUTHOR), failed[0] if failed else None
    )
    if first is None:
        return "" if any(each.executed for each in checks) else "nothing was checked"
    place = f" ({first.file}:{first.line})" if first.line else ""
    return f"{first.name} on {first.backend}: {first.cause}{place}"


class _Session:
    def __init__(
        self, target: Target, settings: CheckSettings, pool: Pool, work: Round, progress: Progress
    ) -> None:
        self._target, self._settings, self._pool = target, settings, pool
        self._work, self._say = work, progress
        self._backends = [Member(name) for name in settings.backends if name in pool.backends]
        judges = [name for name in JUDGES if name in pool.backends]
        self._judges = [Member(name, double=True) for name in judges[:1]]
        self._more_judges = [Member(name, double=True) for name in judges[1:]]
        self.began_nowhere = False
        self.mistakes = False
        self._parts: dict[str, list[Part]] = {}

    @property
    def _findings(self) -> Mapping[Member, Findings]:
        return self._work.findings

    def run(self) -> list[Check]:
        """All phases and what follows from them."""
        rows = [
            Check("import", name, Status.SKIP, cause=reason)
            for name, reason in self._pool.unavailable.items()
            if name in self._settings.backends
        ]
        everyone = [*self._backends, *self._judges]
        self._say("build")
        self._work.run("build", everyone, lambda member: {})
        files = self._files()
        suspicions = read_suspicions(files)
        reference = self._reference()
        if reference is None:
            rows += stage_rows(self._findings, suspicions)
            self.began_nowhere = not any(
                self._findings[member].stage("build", "build").ok for member in self._backends
            )
            # A file that cannot even be imported anywhere says nothing of its model.
            self.mistakes = any(
                each.known_gap or (each.hint and each.kind is Kind.AUTHOR and each.name != "import")
                for each in rows
                if each.status is Status.FAIL
            )
            return share_explanations(rows)
        shared = str(self._findings[reference].folder)
        self._say("numbers")
        self._work.run("numbers", everyone, lambda member: {"shared": shared})
        self._ask_more_judges(shared)
        self._move_more()
        self._exchange()
        comparisons = compare_all(self._findings)
        places, self._parts = find_places(self._work, self._backends, comparisons, self._say)
        context = self._context(suspicions, places, files, reference)
        comparisons = compare_all(self._findings, misjudged(comparisons, context))
        rows += stage_rows(self._findings, suspicions, places.failing)
        rows += equality_rows(self._findings, suspicions, reference)
        rows += compile_rows(self._findings, suspicions)
        rows += warning_rows(self._findings)
        rows += follow_steps(list(difference_rows(comparisons, context)))
        wrong = differing(comparisons)
        forward = {each.backend for each in wrong if each.quantity.check in FORWARD}
        apart = {each.backend for each in wrong}
        rows += crossing_rows(self._findings, suspicions, forward, apart, places.failing)
        rows = follow_configuration(rows)
        rows = blame_tensorflow_inside(name_layers(rows, context.layers, files), context.layers)
        rows = follow_mistakes(share_explanations(rows))
        if self._settings.export:
            self._say("export")
            rows += self._exports()
        return rows

    def _files(self) -> list[str]:
        found = [self._target.path] if self._target.kind == "file" else []
        for each in self._findings.values():
            found += each.stage("build", "import").data.get("files", [])
        return list(dict.fromkeys(found))

    def _reference(self) -> Member | None:
        """Whose inputs and weights everybody takes: the first that has some."""
        order = [*self._backends, *self._judges]
        return next(
            (
                m
                for m in order
                if m in self._findings and self._findings[m].stage("build", "weights").ok
            ),
            None,
        )

    def _ask_more_judges(self, shared: str) -> None:
        """Ask the other judges where there is a difference: it may be the first judge's own fault."""
        if not self._more_judges or not (
            self._no_judge() or differing(compare_all(self._findings))
        ):
            return
        self._say("more judges")
        self._work.run("build", self._more_judges, lambda member: {})
        self._work.run("numbers", self._more_judges, lambda member: {"shared": shared})

    def _move_more(self) -> None:
        """Look more often at how far a step moves, where it differs and the judges agree."""
        if any(
            each.quantity.stage == "gradients" and not each.semantic
            for each in differing(compare_all(self._findings))
        ):
            self._say("more movements")
            self._work.run("moves", self._backends, always({}))

    def _no_judge(self) -> bool:
        return not any(
            found.stage("numbers", "forward").ok for m, found in self._findings.items() if m.double
        )

    def _exchange(self) -> None:
        """Every backend reads what every backend has written."""
        sources = {
            member.name: str(self._findings[member].folder)
            for member in self._backends
            if self._findings[member].stage("numbers", "save").ok
        }
        if sources:
            self._say("files")
            self._work.run("files", self._backends, lambda member: {"sources": sources})

    def _context(
        self,
        suspicions: Sequence[Suspicion],
        places: Places,
        files: Sequence[str],
        reference: Member,
    ) -> Context:
        found = self._findings[reference]
        weights = found.stage("build", "weights").data
        return Context(
            self._findings,
            suspicions,
            places,
            files,
            str(found.stage("build", "build").data.get("optimizer", "SGD")),
            str(weights.get("loss", "")),
            {layer["path"]: layer["class"] for layer in weights.get("layers", [])},
            found.stage("build", "forward").data.get("losing", []),
            weights.get("stateful", {}),
        )

    def _exports(self) -> list[Check]:
        """Export what the first backend that could has written."""
        for member in self._backends:
            found = self._findings[member]
            if found.stage("numbers", "save").ok:
                path = Path(self._target.path)
                is_file = self._target.kind == "file"
                module = path.stem if is_file else self._target.module
                root = str(path.parent) if is_file else str(path)
                root, module = (root, module) if module else ("", "")
                return list(export_rows(found.folder / "model.keras", found.folder, root, module))
        return [Check("export", "", Status.SKIP, cause="no backend could write the model")]

    def reduce(self, checks: Sequence[Check], folder: Path) -> list[Reduced]:
        """Write a script for every difference of Keras's own."""
        for each in self._findings.values():
            recorded = each.stage("record", "inference").ok
            if each.member.double and not recorded and each.ended is None:
                self._work.run("record", [each.member], always({"training": False}))
                break
        settings = self._settings
        return reduce_failures(
            checks, self._findings, self._pool, folder, self._target.stem, settings.timeout,
            settings.reduce_time, self._say,
        )  # fmt: skip

    def model(self) -> dict[str, object]:
        """The model's layers, for the report."""
        reference = self._reference()
        if reference is None:
            return {}
        return model_summary(self._findings[reference], self._parts)
