"""Disturb runs of the matrix at random, resume them, and compare with an undisturbed run.

    python tools/interrupt_study.py --seconds 600

Each round starts ``portable matrix --resume`` and sends it, or one of its workers, a signal at a random
moment. Then it truncates, garbles, flips a bit of, or removes random files in the folder. A resumed run
must then end with the verdict, histories, final metrics and digests of the undisturbed run, or refuse
with one line and without a traceback.

Exit status 0 if every round did, 1 if one did not.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "tests" / "studies"
# A background job hands down that Ctrl-C is to be ignored; this runs it as a foreground job.
FOREGROUND = STUDIES / "in_foreground.py"
STUDY = ("misbehaving:sound", "--variant", "plain", "--variant", "dropout", "--epochs", "2")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
SIGNALS_A_ROUND = 3
DAMAGES_A_ROUND = 10


class Disturber:
    """Runs, disturbs and resumes one study.

    Args:
        folder: scratch folder.
        backends: comma-separated.
        replicas: of each variant.
        seed: of the random moments and damages.
    """

    def __init__(self, folder: Path, backends: str, replicas: int, seed: int) -> None:
        self.folder = folder
        self.counts: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self._random = random.Random(seed)
        self._call = (*STUDY, "--backends", backends, "--replicas", str(replicas))
        started = time.monotonic()
        self._expected = self._outcome(self._run(folder / "undisturbed"), folder / "undisturbed")
        self._duration = time.monotonic() - started

    def round(self) -> None:
        """Disturb a run and its files, and resume it."""
        out = self.folder / "out"
        for _ in range(SIGNALS_A_ROUND):
            self._interrupt(out)
            for _ in range(DAMAGES_A_ROUND // SIGNALS_A_ROUND):
                self._damage(out)
        done = self._run(out, "--resume")
        said = done.stderr + done.stdout
        report = out / "report.json"
        if done.returncode in (2, 3) and "portable: error: " in said and "Traceback" not in said:
            self.counts["refused with one line"] += 1
            shutil.rmtree(out, ignore_errors=True)
        elif not report.exists() or self._outcome(done, out) != self._expected:
            self.failures.append(f"exit code {done.returncode}: {said[-600:]}")
            shutil.rmtree(out, ignore_errors=True)
        else:
            self.counts["same verdict and numbers"] += 1
        # Not from a finished folder each time: half of the rounds begin anew.
        if self._random.random() < 0.5:
            shutil.rmtree(out, ignore_errors=True)

    def _start(self, out: Path, *options: str) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(STUDIES), str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, str(FOREGROUND), "matrix", *self._call, "--out", str(out), *options],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _run(self, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        process = self._start(out, *options)
        output, errors = process.communicate()
        return subprocess.CompletedProcess((), process.returncode, output, errors)

    def _outcome(self, done: subprocess.CompletedProcess[str], out: Path) -> Any:
        """What must be the same in the end."""
        try:
            report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        keys = (
            "experiment",
            "variant",
            "backend",
            "replica",
            "status",
            "history",
            "final",
            "digests",
        )
        cells = [{key: cell[key] for key in keys} for cell in report["cells"]]
        return done.returncode, report["verdict"], cells

    def _interrupt(self, out: Path) -> None:
        process = self._start(out, "--resume")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=self._random.uniform(0, self._duration))
        if process.poll() is None:
            workers = self._workers(out)
            number = self._random.choice(SIGNALS)
            if workers and self._random.random() < 0.4:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._random.choice(workers), number)
                self.counts[f"{number.name} to a worker"] += 1
                # It goes on without that worker, or ends; both must be survived.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=self._random.uniform(0, self._duration))
            if process.poll() is None:
                process.send_signal(number)
                self.counts[f"{number.name} to the parent"] += 1
        _, errors = process.communicate()
        if "Traceback" in errors:
            self.failures.append(f"a traceback: {errors[-600:]}")
        for _ in range(600):
            if not self._workers(out):
                return
            time.sleep(0.05)
        self.failures.append("a worker outlived its parent by 30 seconds")

    def _workers(self, out: Path) -> list[int]:
        """The running workers that write to a folder."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if b"backends_matrix.run.worker" in words and str(out / "cells").encode() in words:
                    found.append(int(path.parent.name))
        return found

    def _damage(self, out: Path) -> None:
        files = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
        if not files:
            return
        path = self._random.choice(files)
        content = bytearray(path.read_bytes())
        kind = self._random.choice(("truncated", "bit flipped", "removed", "garbled"))
        if kind == "removed":
            path.unlink()
        else:
            place = self._random.randrange(len(content) + 1)
            if kind == "truncated":
                del content[place:]
            elif kind == "garbled":
                content[place : place + 8] = self._random.randbytes(8)
            elif content:
                content[place % len(content)] ^= 1 << self._random.randrange(8)
            path.write_bytes(content)
        self.counts[f"{path.name.rpartition('.')[2]} file {kind}"] += 1


def main() -> int:
    """Disturb until the time is over, and print what happened."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--backends", default="jax,torch")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interrupt-study-") as folder:
        disturber = Disturber(Path(folder), chosen.backends, chosen.replicas, chosen.seed)
        end = time.monotonic() + chosen.seconds
        rounds = 0
        while rounds < chosen.rounds and time.monotonic() < end:
            disturber.round()
            rounds += 1
    for name, number in sorted(disturber.counts.items()):
        print(f"{number:6}  {name}")
    for failure in disturber.failures:
        print(f"FAILED  {failure}")
    signals = sum(count for name, count in disturber.counts.items() if " to " in name)
    damages = sum(count for name, count in disturber.counts.items() if " file " in name)
    print(
        f"{rounds} rounds, {signals} signals, {damages} damaged files, {len(disturber.failures)} failures "
        f"(seed {chosen.seed}, {chosen.backends})"
    )
    return 1 if disturber.failures else 0


if __name__ == "__main__":
    sys.exit(main())
