"""Run the lessons on each installed backend, and compare what they print.

python tools/run_lessons.py [LESSON ...] [--backends jax,torch] [--jobs 2] [--write]

Exit status: 0 all lessons print the same on every backend, 1 one does not or fails, 2 the call is wrong.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "lessons"
PRINTED = FOLDER / "printed"
"""What each lesson prints, as the site shows it."""
DRAWN = ROOT / "docs" / "images" / "lessons"
"""The figures of each lesson in a folder of its name, as the site shows them."""
LESSONS = tuple(sorted(path.stem for path in FOLDER.glob("[0-9]*.py")))
INSTALLED = tuple(
    name for name in ("jax", "tensorflow", "torch") if importlib.util.find_spec(name) is not None
)
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "MPLBACKEND": "agg",
}
"""Sums depend on the number of threads, and several lessons run at a time."""


@dataclass(frozen=True)
class Run:
    """One lesson on one backend.

    Args:
        text: what it printed.
        error: the end of its error output where it failed or printed nothing, else empty.
        seconds: wall time.
    """

    text: str
    error: str
    seconds: float


def run_lesson(lesson: str, backend: str, figures: Path) -> Run:
    """Run one lesson in a process of its own; its figures go to ``figures / lesson / backend``."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        "KERAS_BACKEND": backend,
        "PORTABLE_MODELS_LESSON_FIGURES": str(figures / lesson / backend),
    }
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{lesson}.py")],
        cwd=figures,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    error = ""
    if done.returncode:
        error = f"exit status {done.returncode}: " + "\n".join(done.stderr.splitlines()[-8:])
    elif not done.stdout.strip():
        error = "it printed nothing, so there is nothing to compare"
    return Run(done.stdout, error, time.perf_counter() - start)


def differences(runs: Mapping[str, Run]) -> list[str]:
    """One line for each backend that fails, or whose text is not the first backend's."""
    found = [f"{backend}: {run.error}" for backend, run in runs.items() if run.error]
    whole = {backend: run.text.splitlines() for backend, run in runs.items() if not run.error}
    if not whole:
        return found
    first, *others = whole
    for backend in others:
        pairs = zip_longest(whole[first], whole[backend], fillvalue="(nothing)")
        for number, (expected, got) in enumerate(pairs, start=1):
            if expected != got:
                found.append(f"line {number}: {first} has {expected!r}, {backend} has {got!r}")
                break
    return found


def run_all(
    lessons: Sequence[str], backends: Sequence[str], jobs: int, figures: Path
) -> dict[str, dict[str, Run]]:
    """Every lesson on every backend, ``jobs`` processes at a time."""
    pairs = [(lesson, backend) for lesson in lessons for backend in backends]
    with ThreadPoolExecutor(jobs) as pool:
        runs = list(pool.map(lambda pair: run_lesson(pair[0], pair[1], figures), pairs))
    found: dict[str, dict[str, Run]] = {lesson: {} for lesson in lessons}
    for (lesson, backend), run in zip(pairs, runs, strict=True):
        found[lesson][backend] = run
    return found


def keep(lesson: str, text: str, figures: Path) -> None:
    """Keep what a lesson prints and draws, for the site."""
    PRINTED.mkdir(exist_ok=True)
    (PRINTED / f"{lesson}.txt").write_text(text, encoding="utf-8")
    shutil.rmtree(DRAWN / lesson, ignore_errors=True)
    if figures.is_dir():
        shutil.copytree(figures, DRAWN / lesson)


def report(lesson: str, runs: Mapping[str, Run]) -> bool:
    """Print one line for a lesson, and more where it differs; whether it does."""
    wrong = differences(runs)
    seconds = "  ".join(f"{backend} {run.seconds:.0f} s" for backend, run in runs.items())
    lines = len(next(iter(runs.values())).text.splitlines())
    print(f"{lesson:22} {lines:3} lines  {seconds}  {'DIFFERS' if wrong else 'equal'}")
    for each in wrong:
        print("   ", each)
    return bool(wrong)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, compare and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=", ".join(LESSONS))
    parser.add_argument("--backends", default=",".join(INSTALLED), help="jax,tensorflow,torch")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--write", action="store_true", help="keep what equal lessons print and draw"
    )
    asked = parser.parse_args(arguments)
    lessons, backends = asked.lessons or LESSONS, asked.backends.split(",")
    for kind, given, known in (
        ("lesson", lessons, LESSONS),
        ("installed backend", backends, INSTALLED),
    ):
        for name in given:
            if name not in known:
                parser.error(f"there is no {kind} {name!r}: expected one of {', '.join(known)}")
    start, differing = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder)
        found = run_all(lessons, backends, max(1, asked.jobs), figures)
        for lesson, runs in found.items():
            differs = report(lesson, runs)
            differing += differs
            if asked.write and not differs:
                keep(lesson, runs[backends[0]].text, figures / lesson / backends[0])
    print(
        f"{len(found)} lessons on {', '.join(backends)}: {len(found) - differing} equal, "
        f"{differing} not; {time.perf_counter() - start:.0f} s"
    )
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
