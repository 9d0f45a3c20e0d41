"""On PyTorch a result depends on the number of threads: it is taken from the environment, and recorded."""

import json
import os
import subprocess
import sys

import pytest


def values_of(document, key):
    """Every value of a key, wherever it stands."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(document, list):
        for each in document:
            yield from values_of(each, key)


def report_of(folder, **environment):
    command = [sys.executable, "-m", "backends_matrix", "run", "boston", "--data", "sample"]
    command += ["--epochs", "1", "--backend", os.environ["KERAS_BACKEND"], "--out", str(folder)]
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_of_the_environment_are_those_of_the_run(threads, tmp_path):
    report = report_of(tmp_path, OMP_NUM_THREADS=threads)
    assert int(threads) in list(values_of(report, "threads"))


def test_default_number_of_threads_is_in_the_record(tmp_path):
    found = list(values_of(report_of(tmp_path), "threads"))
    assert found
    assert all(isinstance(each, int) for each in found)
