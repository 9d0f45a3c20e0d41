"""Runs of the matrix on the small studies in ``tests/studies``, as a user starts them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[1] / "studies"
QUICKEST_FIRST = ("torch", "jax", "tensorflow")
"""PyTorch compiles nothing for the few steps of these studies."""


@pytest.fixture(scope="session")
def backends(backends):
    """The installed ones. Most tests run on the first alone, some on the first and the last."""
    return sorted(backends, key=QUICKEST_FIRST.index)


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


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiled programs, kept over the runs of all tests: they train the same few networks."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture(scope="session")
def environment(compiled):
    """The environment of a user who stands in the folder that holds the studies."""
    kept = {name: value for name, value in os.environ.items() if name != "PORTABLE_MODELS_DATA"}
    path = os.pathsep.join(filter(None, (str(STUDIES), os.environ.get("PYTHONPATH"))))
    return {**kept, **compiled, "PYTHONPATH": path, "COLUMNS": "120"}


@pytest.fixture(scope="session")
def portable_in(environment):
    """Give a function that runs ``portable`` in a folder, in a process of its own."""

    def inside(folder):
        def run(*arguments, out=folder / "out", env=None):
            if arguments[0] in ("run", "matrix"):
                arguments = (*arguments, "--out", str(out))
            process = subprocess.run(
                [sys.executable, "-m", "backends_matrix", *arguments],
                env={**environment, **(env or {})},
                cwd=folder,
                capture_output=True,
                text=True,
            )
            return Finished(process.returncode, process.stdout, process.stderr, out)

        return run

    return inside


@pytest.fixture
def portable(portable_in, tmp_path):
    """Run ``portable`` in an empty folder."""
    return portable_in(tmp_path)
