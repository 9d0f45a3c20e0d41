"""Runs of the matrix on the small studies in ``tests/studies``, as a user starts them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[1] / "studies"


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    output: str
    errors: str
    out: Path

    @property
    def report(self):
        return json.loads((self.out / "report.json").read_text())

    def statuses(self):
        return {
            (cell["variant"], cell["backend"]): cell["status"]
            for cell in self.report["cells"]
            if not cell["replica"]
        }


@pytest.fixture
def environment():
    """The environment of a user who stands in the folder that holds the studies."""
    kept = {name: value for name, value in os.environ.items() if name != "PORTABLE_MODELS_DATA"}
    return {**kept, "PYTHONPATH": str(STUDIES), "COLUMNS": "120"}


@pytest.fixture
def portable(tmp_path, environment):
    """Run ``portable`` in a process of its own."""

    def run(*arguments, out=tmp_path / "out", env=None):
        if arguments[0] in ("run", "matrix"):
            arguments = (*arguments, "--out", str(out))
        process = subprocess.run(
            [sys.executable, "-m", "backends_matrix", *arguments],
            env={**environment, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return Finished(process.returncode, process.stdout, process.stderr, out)

    return run
