"""How long `portable lint` takes on a folder: cold, with the cache, and on one core.

python benchmarks/lint.py FOLDER [REPEATS]     # such as an unpacked wheel of keras-hub; 3 by default
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time


def measure(folder: str, cache: str, *options: str) -> tuple[float, float, str]:
    """Wall time and CPU time of one run in a fresh process, and the last line that it prints."""
    command = [sys.executable, "-m", "backends_matrix", "lint", folder, "--statistics", *options]
    environment = {**os.environ, "PORTABLE_MODELS_CACHE": cache}
    start, used = time.perf_counter(), _cpu_seconds()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    taken, used = time.perf_counter() - start, _cpu_seconds() - used
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return taken, used, done.stdout.splitlines()[-1]


def _cpu_seconds() -> float:
    """User and system time of all processes that this one has started, when they have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the best of several runs: other work on the machine makes a run longer, never shorter."""
    folder, *more = sys.argv[1:]
    repeats = int(more[0]) if more else 3
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, best of {repeats} runs"
    )
    found: dict[str, list[tuple[float, float, str]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            for title, options in (
                ("cold", ()),
                ("cached", ()),
                ("one core", ("--no-cache", "--jobs", "1")),
            ):
                found.setdefault(title, []).append(measure(folder, cache, *options))
    for title, runs in found.items():
        wall, cpu = min(run[0] for run in runs), min(run[1] for run in runs)
        print(f"{title:10}{wall:8.1f} s   {cpu:8.1f} s of CPU   {runs[0][2]}")


if __name__ == "__main__":
    main()
