"""The library in every kind of process that people start; a training: test_fit_in_process.py."""

import sys

import pytest

from . import process_ways as ways
from . import process_work as work
from .conftest import run_command


@pytest.mark.parametrize("way", ways.WAYS, ids=lambda way: way.__name__)
def test_a_model_is_built_alike(way, tmp_path):
    assert way("initial", tmp_path) == work.initial()


def test_a_fork_after_computing_is_told_so():
    """It would hang: on JAX and TensorFlow always, on PyTorch with more than one thread."""
    program = f"""{ways.HEAD}
import multiprocessing, warnings, process_work as work
work.initial()
# JAX's own warning of the same.
warnings.filterwarnings("ignore", "os.fork.. was called", RuntimeWarning)
def attempt():
    try:
        work.initial()
    except RuntimeError as error:
        print(error, flush=True)
        raise SystemExit(5)
child = multiprocessing.get_context("fork").Process(target=attempt)
child.start()
child.join(60)
print(child.exitcode)
child.kill()
"""
    message, code = run_command([sys.executable, "-c", program])[-2:]
    assert code == "5"
    assert "this process was forked from one that had already computed with Keras" in message
    assert "multiprocessing.get_context('spawn')" in message
