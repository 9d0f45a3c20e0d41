"""Run every benchmark on every installed backend, in processes of their own, and write what was measured.

    python benchmarks/run.py [--repeats N] [--out DIR]

Speed is given as a ratio within one run; seconds depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from backends_matrix.cell import BACKENDS
from backends_matrix.environment import describe_host, installed, worker_environment

HERE = Path(__file__).parent


def measure(backend: str, repeats: int) -> dict[str, Any]:
    """One backend's seconds, from a process of its own."""
    process = subprocess.run(
        [sys.executable, str(HERE / "overhead.py"), "--repeats", str(repeats)],
        env=worker_environment(backend, device="cpu", threads=1),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def row(result: dict[str, Any]) -> list[str]:
    """A backend's medians and the spread of the ratio, pair by pair."""
    ours, theirs = result["seconds"]["portable fit"], result["seconds"]["Model.fit"]
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    step = 1e6 / result["steps"]
    return [
        result["backend"],
        f"{statistics.median(theirs) * step:.0f}",
        f"{statistics.median(ours) * step:.0f}",
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
    ]


def main() -> None:
    """Measure, print a table, and write ``overhead.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    results = []
    for backend in BACKENDS:
        if installed(backend):
            print(f"measuring {backend} …", file=sys.stderr)
            results.append(measure(backend, arguments.repeats))
        else:
            print(f"{backend} is not installed and is left out", file=sys.stderr)
    table = Table(
        "backend", "Model.fit", "portable fit", "ratio", "of all pairs", title="microseconds a step"
    )
    for result in results:
        table.add_row(*row(result))
    Console().print(table)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "overhead.json"
    path.write_text(json.dumps({"host": describe_host(), "results": results}, indent=1) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
