"""Run every benchmark on every installed backend, and write what was measured.

    python benchmarks/run.py [--backend B ...] [--repeats N] [--only PART ...] [--out DIR] [--page FILE]

Every measurement is a process of its own. Speed is given as a ratio within one run; seconds depend on the
machine and its load. Whole programs need the real data (``PORTABLE_MODELS_DATA``) and are left out without.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from page import IMPORT, write_page

from backends_matrix.run.cell import BACKENDS
from backends_matrix.run.environment import describe_host, installed, worker_environment
from portable_models._cores import cores

HERE = Path(__file__).parent
PORTABLE = ("-m", "backends_matrix")


def _process(
    arguments: tuple[str, ...], backend: str, more: Mapping[str, str]
) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed."""
    environment = worker_environment(backend, device="cpu", threads=cores()) | dict(more)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return time.perf_counter() - started, done.stdout


def _measured(backend: str, more: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    _, printed = _process((str(HERE / "measure.py"), *arguments), backend, more)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def steps(backend: str, repeats: int) -> dict[str, Any]:
    """Trainings apart from the start of a program; PyTorch's folds once with a cold cache of graphs."""
    with tempfile.TemporaryDirectory() as folder:
        # Nothing that was compiled before counts.
        more = {"TORCHINDUCTOR_CACHE_DIR": folder, "PORTABLE_MODELS_CACHE": ""}
        found: dict[str, Any] = {}
        if backend == "torch":
            found["kfold, cold"] = _measured(backend, more, "--only=kfold", "--repeats=1")["kfold"]
        return found | _measured(backend, more, f"--repeats={repeats}")


FIRST, COLD = "ours, first run", "ours, cold data"


def imdb(backend: str, repeats: int) -> dict[str, Any]:
    """The IMDB study as a whole program: ours with nothing kept, with programs, with data too; and published.

    And nothing but the import of Keras, which all of them begin with.
    """
    ways = {
        FIRST: "ours",
        COLD: "ours",
        "ours, warm": "ours",
        "published": "published",
        IMPORT: "keras",
    }
    found: dict[str, list[Any]] = {name: [] for name in ways}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, way in ways.items():
                print(f"  IMDB, {name} …", file=sys.stderr)
                if name == COLD:
                    for kept in Path(folder).glob("*.npz"):
                        kept.unlink()
                more = {"PORTABLE_MODELS_CACHE": folder}
                program = (str(HERE / "imdb_program.py"), way)
                seconds, printed = _process(program, backend, more)
                found[name].append({"seconds": seconds, **json.loads(printed.splitlines()[-1])})
    return found


BOSTON_EPOCHS = (100, 200, 80)
"""Epochs of the three stages; the first two go through four folds, sample by sample."""

SHORT = (2, 12)
"""Epochs that ``Model.fit`` is measured for; the second less the first is ten epochs without the start."""


def boston(backend: str, repeats: int) -> dict[str, Any]:
    """``portable run boston``; with ``Model.fit`` for 2 and 12 epochs of each stage, and scaled.

    Twice: with nothing kept of what was compiled before, and again.
    """
    found: dict[str, list[float]] = {"first": [], "ours": [], "keras": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            command = (*PORTABLE, "run", "boston", "--data=full", f"--backend={backend}")
            print("  Boston …", file=sys.stderr)
            more = {
                "PORTABLE_MODELS_CACHE": f"{folder}/cache",
                "TORCHINDUCTOR_CACHE_DIR": f"{folder}/graphs",
            }
            for name in ("first", "ours"):
                taken, _ = _process((*command, f"--out={folder}/{name}"), backend, more)
                found[name].append(taken)
            short = [
                _process(
                    (*command, "--engine=keras", f"--epochs={epochs}", f"--out={folder}/{epochs}"),
                    backend,
                    {"PORTABLE_MODELS_CACHE": ""},
                )[0]
                for epochs in SHORT
            ]
            each = (short[1] - short[0]) / (SHORT[1] - SHORT[0])
            # An epoch of the third stage has 26 steps, of the others 1,212: it is left out.
            found["keras"].append(short[0] + each * (sum(BOSTON_EPOCHS[:2]) / 2 - SHORT[0]))
    return found


PROGRAMS: dict[str, Callable[[str, int], dict[str, Any]]] = {"imdb": imdb, "boston": boston}


def main() -> None:
    """Measure, and write ``speed.json`` and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=list(BACKENDS), action="append")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument(
        "--only", choices=["steps", "imdb", "boston"], action="append", help="measure these anew"
    )
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown page")
    given = parser.parse_args()

    def wanted(name: str) -> bool:
        return not given.only or name in given.only

    path = given.out / "speed.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = (
        json.loads(path.read_text())["results"] if given.only and path.exists() else {}
    )
    document = {"host": describe_host(), "results": results}
    has_data = bool(os.environ.get("PORTABLE_MODELS_DATA"))
    if not has_data:
        print("PORTABLE_MODELS_DATA is not set: the whole programs are left out", file=sys.stderr)
    for backend in given.backend or BACKENDS:
        if not installed(backend):
            print(f"{backend} is not installed and is left out", file=sys.stderr)
            continue
        print(f"measuring {backend} …", file=sys.stderr)
        found = results.setdefault(backend, {})
        if wanted("steps"):
            found |= steps(backend, given.repeats)
        for name, program in PROGRAMS.items():
            if has_data and wanted(name):
                found[name] = program(backend, max(1, given.repeats - 1))
        # After each backend: what was measured is not lost to what comes after it.
        path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written to {path}")
    if given.page:
        write_page(given.page, document)
        print(f"written to {given.page}")


if __name__ == "__main__":
    main()
