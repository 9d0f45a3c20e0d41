"""Shrink what fails while it still fails, and write it down."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backends_matrix.check.members import Findings, Member
from backends_matrix.check.pool import Pool
from backends_matrix.check.reduce.case import Case, Shown
from backends_matrix.check.reduce.description import describe, title_of
from backends_matrix.check.reduce.recorded_graph import (
    Recording,
    recordings,
    upstream,
    without_noise,
)
from backends_matrix.check.reduce.script import write_script
from backends_matrix.check.reduce.search import PARTS, Found, Search
from backends_matrix.check.result import Check, Kind, Reduced, Status

_FORWARD = ("outputs", "outputs of other sizes", "evaluate", "predict", "compiled")
_FILES = {
    "read file": Shown.FILE,
    "resume training": Shown.RESUMED,
    "read weights": Shown.WEIGHTS_FILE,
}


def reduce_failures(
    checks: Sequence[Check],
    findings: Mapping[Member, Findings],
    pool: Pool,
    folder: Path,
    stem: str,
    timeout: float,
    seconds: float,
    say: Callable[[str], None],
) -> list[Reduced]:
    """Write a script for every difference of Keras's own.

    An interrupt (Ctrl-C) ends the reduction; what was found until then is kept.

    Args:
        checks: of the target.
        findings: of its members; their processes may have ended.
        pool: with warm backends.
        folder: gets the scripts.
        stem: begins their names.
        timeout: seconds that one script may take on one backend.
        seconds: how long the search for one script may take.
        say: told of the progress, one line at a time.
    """
    recording = recordings(findings)
    optimizer = _optimizer(findings)
    found: list[Reduced] = []
    done: set[tuple[str, str]] = set()
    file: tuple[Case, str] | None = None
    interrupted = False
    for check in checks:
        part = _part(check)
        if check.status is not Status.FAIL or check.kind is not Kind.KERAS:
            continue
        if (check.layer, part) in done:
            continue
        done.add((check.layer, part))
        if recording is None or interrupted:
            reason = "the reduction was interrupted" if interrupted else _NOT_RECORDED
            found.append(Reduced(check.name, check.backend, check.layer, "", reason))
            continue
        step = optimizer if "step of" in check.cause else ""
        search = Search(check, part, pool, timeout, seconds, say, _sound(checks, check))
        if file is not None and part in PARTS:
            # What cannot be read cannot be trained on either: one script, unless it does not show that.
            again = replace(file[0], shown=_FILES[part], optimizer=step or file[0].optimizer)
            if search.shows(again):
                reason = "the layers of this script show it too"
                found.append(Reduced(check.name, check.backend, check.layer, file[1], reason))
                continue
        best = None
        if not search.interrupted:
            best = search.find(_cases(check, recording, pool.backends, step))
        interrupted = search.interrupted
        written = _written(check, best, folder, stem, pool.versions, search.reason)
        found.append(written)
        if best is None:
            continue
        if part in PARTS and file is None:
            file = best.case, written.path
        # Wrong outputs have wrong gradients; one script shows both.
        done |= {(check.layer, each) for each in ("outputs", "weights") if part in _SHOWN_BY_STEP}
    return found


def _sound(checks: Sequence[Check], failed: Check) -> list[str]:
    """Pairs that pass the check of files that one pair fails; those with another writer first."""
    writer = failed.backend.partition(">")[0]
    passed = [
        each.backend
        for each in checks
        if each.name == failed.name and each.status is Status.PASS and ">" in each.backend
    ]
    return sorted(passed, key=lambda pair: pair.startswith(f"{writer}>"))


def _part(check: Check) -> str:
    """What of a script's results must differ."""
    if check.name in _FILES:
        return check.name
    if check.name in ("state", "state after fit"):
        return "state"
    return "outputs" if check.name in _FORWARD or "the outputs of" in check.cause else "weights"


def _optimizer(findings: Mapping[Member, Findings]) -> str:
    for found in findings.values():
        name = found.stage("build", "build").data.get("optimizer")
        if name:
            return f"keras.optimizers.{name}(0.05)"
    return "keras.optimizers.SGD(0.05)"


def _cases(
    check: Check, recording: Recording, backends: Sequence[str], optimizer: str
) -> Iterator[Case]:
    """The layer by itself; the user's own layers around it; the graph up to it; the whole graph."""
    mine = recording.named(check.layer)
    shown = _FILES.get(check.name, Shown.STEP)
    own = [call for call in recording.outermost() if call.get("definitions")]
    # What a file loses, a layer with its own way of saving lost most likely.
    plans = [[call] for call in own if shown is not Shown.STEP]
    plans += [[call] for call in mine]
    plans += [[outer] for call in mine[:1] for outer in recording.around(call)]
    levels = [recording.leaves(), recording.outermost()]
    for level in levels if shown is Shown.STEP else reversed(levels):
        plain = without_noise(level)
        plans.append(upstream(plain, check.layer))
        if check.layer:
            plans.append(upstream(plain, ""))
    if not mine and not check.layer:
        plans += [[call] for call in recording.leaves()]
    tried: set[str] = set()
    for plan in plans:
        case = recording.graph(plan, check.name, backends)
        if case is None or (key := repr((case.nodes, case.definitions))) in tried:
            continue
        tried.add(key)
        case = replace(case, shown=shown)
        if optimizer:
            case = replace(case, optimizer=optimizer)
        if shown is Shown.STEP and _part(check) == "outputs":
            training = check.name not in _FORWARD
            yield replace(case, shown=Shown.FORWARD, functional=True, training=training)
        if case.definitions or shown is not Shown.STEP:
            yield replace(case, functional=True)
        if shown is Shown.STEP:
            yield case


def _written(
    check: Check,
    best: Found | None,
    folder: Path,
    stem: str,
    versions: Mapping[str, str],
    reason: str,
) -> Reduced:
    if best is None:
        return Reduced(check.name, check.backend, check.layer, "", reason)
    case = replace(best.case, title=title_of(best.case, best.failure))
    layer = check.layer.rpartition("/")[2] or case.nodes[-1].kind
    name = re.sub(
        r"\W+", "_", f"{stem}_{layer}_{_NAMES[case.shown].format(best.failure.part)}"
    ).lower()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{name}_{number}.py"
    path.write_text(write_script(case), encoding="utf-8")
    text = describe(replace(best, case=case), check, path.name, versions)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    return Reduced(check.name, check.backend, check.layer, str(path), case.title)


_NOT_RECORDED = "no judge could record the model's calls"
_SHOWN_BY_STEP = ("outputs", "weights")
_NAMES = {
    Shown.FORWARD: "{}",
    Shown.STEP: "{}_after_a_step",
    Shown.FILE: "{}_of_the_file",
    Shown.WEIGHTS_FILE: "{}_of_the_weights_file",
    Shown.RESUMED: "resumed_{}",
}
