"""``benchmarks/gpu.sh``: its command line, and the summary that decides whether a card keeps the promises."""

import json
import subprocess
import sys

import pytest

from .pages import ROOT

SCRIPT = ROOT / "benchmarks" / "gpu.sh"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_an_option_that_is_unknown_is_one_line():
    found = run("bash", str(SCRIPT), "--devices", "2")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "gpu.sh: unknown option --devices; expected --device KIND, --rehearse or --out DIR\n"
    )


def cell(**changes):
    return {
        "backend": "jax",
        "experiment": "boston",
        "variant": "final",
        "replica": 0,
        "status": "ok",
        "reason": "",
        "seconds": 1.5,
        "compile_seconds": 0.5,
        "peak_memory_bytes": 5_000_000,
        "device_peak_memory_bytes": 3_000_000,
        "history": {"loss": [1.0]},
    } | changes


@pytest.fixture
def found(tmp_path):
    """The folder of a run in which all is as it should be."""

    def report(folder, *cells, level=1):
        (tmp_path / folder).mkdir()
        document = {
            "verdict": "agree",
            "cells": list(cells),
            "comparisons": [{"level": level}],
            "environment": {
                "backends": {"jax": {"backend": "jax", "jax": "0.11", "card": {"name": "A card"}}}
            },
        }
        (tmp_path / folder / "report.json").write_text(json.dumps(document))

    for folder in ("cpu", "device", "keras", "level1", "loop", "again-jax"):
        report(folder, cell())
    for name in ("compare", "engines"):
        (tmp_path / f"{name}.json").write_text('{"verdict": "agree"}')
    for name in ("draws-jax-cpu", "draws-jax-device"):
        (tmp_path / f"{name}.log").write_text("a warning\n0a1b 2c3d\n")
    (tmp_path / "steps.tsv").write_text("device\t0\t12\n")
    (tmp_path / "memory").write_text("700\n900\n[N/A]\n")
    check = {"targets": [{"verdict": "portable", "checks": [{"status": "pass"}]}]}
    (tmp_path / "check.json").write_text(json.dumps(check | {"environment": {"device": "gpu"}}))
    return tmp_path


def summary(folder, *options):
    return run(sys.executable, str(ROOT / "benchmarks" / "gpu_summary.py"), str(folder), *options)


def test_all_is_as_it_should_be(found):
    told = summary(found)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "NO" not in told.stdout
    assert '"name": "A card"' in told.stdout
    assert "| jax boston final | ok | 1.5 | 0.5 | 1.5 | 1.5 | 5 | 3 | compiled |" in told.stdout
    assert "| device | 0 | 12 |" in told.stdout
    assert "all steps together: 900 MB at most" in told.stdout
    assert "portable check passes on the device (1 checks on gpu)" in told.stdout


def change(path, **fields):
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | fields))


@pytest.mark.parametrize(
    ("what", "spoil"),
    [
        ("random draws", lambda out: (out / "draws-jax-device.log").write_text("ffff\n")),
        ("CPU and the device agree", lambda out: change(out / "compare.json", verdict="differ")),
        ("Model.fit agree", lambda out: (out / "engines.json").unlink()),
        ("backends agree", lambda out: change(out / "device/report.json", verdict="error")),
        ("steps agree", lambda out: change(out / "level1/report.json", verdict="undecidable")),
        ("level 1 was compared", lambda out: change(out / "level1/report.json", comparisons=[])),
        (
            "same bits again",
            lambda out: change(
                out / "again-jax/report.json", cells=[cell(history={"loss": [2.0]})]
            ),
        ),
        ("same bits again", lambda out: (out / "again-jax/report.json").unlink()),
        (
            "every step",
            lambda out: (out / "steps.tsv").write_text("cpu\t0\t1\ndevice\t124\t9\n"),
        ),
        ("every step", lambda out: (out / "steps.tsv").write_text("")),
        ("portable check", lambda out: change(out / "check.json", targets=[])),
        ("portable check", lambda out: change(out / "check.json", environment={})),
        ("random draws", lambda out: [each.write_text("") for each in out.glob("draws-*.log")]),
        ("fell back", lambda out: (out / "loop/report.json").unlink()),
        ("fell back", lambda out: change(out / "loop/report.json", cells=[cell(reason="not it")])),
        ("fell back", lambda out: change(out / "loop/report.json", cells=[cell(status="failed")])),
    ],
)
def test_whatever_is_wrong_is_told(found, what, spoil):
    spoil(found)
    told = summary(found)
    wrong = [line for line in told.stdout.splitlines() if line.startswith("- **NO**")]
    assert told.returncode == 1
    assert len(wrong) == 1
    assert what in wrong[0]


def test_a_rehearsal_says_that_it_is_one_and_may_leave_short_trainings(found):
    reason = "not compiled: 52 steps are so few that Model.fit is done before a program is traced"
    change(found / "device/report.json", cells=[cell(reason=reason)])
    assert summary(found).returncode == 1
    told = summary(found, "--rehearse")
    assert told.returncode == 0
    assert told.stdout.startswith("**A rehearsal on the CPU")
