"""How long `portable lint` takes on a folder: cold, with the cache, and on one core.

python benchmarks/lint.py FOLDER     # such as an unpacked wheel of keras-hub
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time


def seconds(folder: str, cache: str, *options: str) -> tuple[float, str]:
    """Wall time of one run in a fresh process, and the last line that it prints."""
    command = [sys.executable, "-m", "backends_matrix", "lint", folder, "--statistics", *options]
    environment = {**os.environ, "PORTABLE_MODELS_CACHE": cache}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return taken, done.stdout.splitlines()[-1]


def main() -> None:
    """Measure and print."""
    [folder] = sys.argv[1:]
    load = os.getloadavg()[0]
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {load:.1f} (other work on the machine counts)"
    )
    with tempfile.TemporaryDirectory() as cache:
        for title, options in (
            ("cold", ()),
            ("cached", ()),
            ("one core", ("--no-cache", "--jobs", "1")),
        ):
            taken, said = seconds(folder, cache, *options)
            print(f"{title:10}{taken:8.1f} s   {said}")


if __name__ == "__main__":
    main()
