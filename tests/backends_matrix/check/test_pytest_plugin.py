"""The plugin, in a pytest of its own, found as every user finds it: by its entry point."""

import subprocess
import sys

import pytest

from .corpus import ROOT

SOUND = ROOT / "sound" / "mlp_compiled.py"
DIFFERENT = ROOT / "differences" / "leaky_relu_at_zero.py"

TESTS = f"""
import importlib.util
import pytest
import backends_matrix

spec = importlib.util.spec_from_file_location("mlp", {str(SOUND)!r})
mlp = importlib.util.module_from_spec(spec)

BACKENDS = ("jax", "torch")

def test_sound():
    assert backends_matrix.assert_portable({str(SOUND)!r}, backends=BACKENDS).executed > 50

@pytest.mark.portable(backends=BACKENDS)
def test_marked():
    return {str(SOUND)!r}

@pytest.mark.portable(backends=BACKENDS)
def test_marked_and_different():
    return {str(DIFFERENT)!r}

@pytest.mark.portable
def test_returns_nothing():
    pass

@backends_matrix.portable_checks({str(DIFFERENT)!r}, backends=BACKENDS)
def test_each(portable_check):
    portable_check()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, pool):
    del pool  # all three backends are needed
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "test_models.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", str(folder)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert finished.returncode == 1, finished.stdout + finished.stderr  # some tests fail, as meant
    return finished.stdout


@pytest.mark.parametrize("name", ["test_sound", "test_marked", "test_each[*outputs]"])
def test_what_is_portable_passes(run, name):
    first, _, last = name.partition("*")
    lines = [line for line in run.splitlines() if line.startswith("PASSED")]
    assert any(first in line and line.endswith(last) for line in lines), run[-3000:]


@pytest.mark.parametrize("name", ["test_marked_and_different", "gradients]", "fit]"])
def test_what_differs_fails_with_its_layer(run, name):
    lines = [line for line in run.splitlines() if line.startswith("FAILED")]
    assert any(name in line for line in lines), run[-3000:]
    assert "layer leaky" in run
    assert "leaky-relu-at-zero" in run


def test_a_marked_test_must_return_something(run):
    assert "is marked portable and returned None" in run
