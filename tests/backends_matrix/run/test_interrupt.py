"""Ctrl-C, and the death of the parent: nothing finished is lost, nothing is left running."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FOREGROUND = Path(__file__).parents[2] / "studies" / "in_foreground.py"


@pytest.fixture
def waiting(tmp_path, environment, backends):
    """A run whose second cell waits for ever; given once that cell is running."""
    marker, out = tmp_path / "running", tmp_path / "out"
    process = subprocess.Popen(
        [
            *(sys.executable, str(FOREGROUND), "matrix", "misbehaving:interrupted"),
            *("--backends", backends[0], "--replicas", "0", "--out", str(out)),
        ],
        env={**environment, "INTERRUPT_MARKER": str(marker)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not marker.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    yield process, out
    if process.poll() is None:
        process.kill()
    process.communicate()


def workers_of(out):
    """Worker processes that write under ``out``."""
    listing = subprocess.run(
        ["ps", "-wweo", "pid,args"], capture_output=True, text=True, check=True
    )
    lines = [line for line in listing.stdout.splitlines() if "backends_matrix.run.worker" in line]
    return [int(line.split()[0]) for line in lines if str(out) in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_finished_cells_and_ends_the_workers(waiting, number):
    process, out = waiting
    assert workers_of(out)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "interrupted; 1 of 3 cells finished" in errors
    assert "--resume" in errors
    assert "Traceback" not in output + errors
    assert workers_of(out) == []
    report = json.loads((out / "report.json").read_text())
    assert [cell["status"] for cell in report["cells"]] == ["ok", "interrupted", "interrupted"]


def test_kill_9_of_a_worker_from_outside_loses_only_its_cell(waiting):
    process, out = waiting
    (worker,) = workers_of(out)
    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=300)
    assert process.returncode == 3
    report = json.loads((out / "report.json").read_text())
    assert [cell["status"] for cell in report["cells"]] == ["ok", "crashed", "ok"]


def test_kill_9_of_the_parent_ends_its_worker_and_the_run_is_resumed(
    waiting, environment, backends
):
    process, out = waiting
    (worker,) = workers_of(out)
    watched = os.pidfd_open(worker)
    process.kill()
    process.wait()
    # Readable once the worker, which sleeps in a user's code, has ended.
    assert select.select([watched], [], [], 60)[0] == [watched]
    os.close(watched)
    assert not (out / "report.json").exists()
    assert len(list(out.glob("cells/*-plain-*/result.json"))) == 1
    call = ("matrix", "misbehaving:interrupted", "--backends", backends[0], "--variant", "plain")
    again = subprocess.run(
        [sys.executable, str(FOREGROUND), *call, "--replicas", "0", "--out", str(out), "--resume"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert "which has died, was taken over" in again.stderr
    assert "kept 1 cell of the earlier run" in again.stderr
