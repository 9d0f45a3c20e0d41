"""A target that misbehaves harms itself only: one clear line, and the others go on."""

import json
import subprocess
import sys

import pytest

from .corpus import ROOT

HOSTILE = {
    "exits": "ended itself with exit code 0",
    "kills_itself": "killed by SIGSEGV",
    "leaves_processes": "SystemExit: 7",
    "raises_on_import": "this file cannot be imported",
    "reads_stdin": "EOF when reading a line",
    "recurses": "maximum recursion depth exceeded",
    "returns_no_model": "returned dict, not a keras.Model",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_an_error_with_a_reason(name, checked):
    result = checked(ROOT / "hostile" / f"{name}.py")
    assert result.verdict == "error"
    assert HOSTILE[name] in result.reason
    assert "\n" not in result.reason


def test_what_hangs_is_stopped(checked):
    result = checked(ROOT / "hostile" / "hangs.py", timeout=1.0)
    assert result.verdict == "error"
    assert "stopped after 1 seconds in 'build' (--timeout)" in result.reason


def test_what_hangs_on_one_backend_is_undecided(checked):
    result = checked(ROOT / "hostile" / "hangs_on_jax.py", timeout=10.0)
    assert result.verdict == "error"
    (row,) = [each for each in result.checks if "stopped after" in each.cause]
    assert (row.backend, row.kind, row.hint) == ("jax", "harness", "give more time with --timeout")


def test_what_eats_memory_is_stopped(checked):
    result = checked(ROOT / "hostile" / "eats_memory.py", memory=600 << 20)
    assert result.verdict == "error"
    assert "--memory" in result.reason


def test_garbage_that_is_printed_is_no_answer(checked):
    assert checked(ROOT / "hostile" / "prints_garbage.py").verdict == "portable"


def test_a_file_that_is_no_python_is_an_error(checked, tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("def build_model(\n    return None\n")
    result = checked(path)
    assert result.verdict == "error"
    assert "SyntaxError" in result.reason


def test_the_command_goes_on_after_a_hostile_target(tmp_path):
    hostile = [str(ROOT / "hostile" / f"{name}.py") for name in ("exits", "recurses")]
    sound = str(ROOT / "sound" / "mlp_compiled.py")
    out = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "backends_matrix", "check", *hostile, sound, "--json", str(out)],
        capture_output=True,
        text=True,
        input="5\n",
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    document = json.loads(out.read_text())
    verdicts = [each["verdict"] for each in document["targets"]]
    assert (document["verdict"], verdicts) == ("error", ["error", "error", "portable"])
