"""``portable export``: exit codes, one clear line for a user's mistake, nothing left by Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from backends_matrix.cli import export as cli_export
from backends_matrix.cli import main
from portable_models.export import Check, ExportResult, MissingPackageError, Status

ROOT = Path(__file__).parents[3]
FOREGROUND = ROOT / "tests" / "studies" / "in_foreground.py"
ROUTE = {"hub": "tensorflow", "steps": ["one", "two"]}


def call(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no zip")
    return path


def answer(monkeypatch, result):
    def export_many(orders, progress):
        if isinstance(result, BaseException):
            raise result
        return [result]

    monkeypatch.setattr(cli_export, "export_many", export_many)


CHECK = Check("random, batch 17: price", 17, 2e-5, 1e-6, 3.0, False, "1e-06 of the output's scale")


@pytest.mark.parametrize(
    ("result", "code", "text"),
    [
        (ExportResult("onnx", Status.VERIFIED, path="m.onnx", route=ROUTE), 0, "verified: m.onnx"),
        (ExportResult("onnx", Status.UNVERIFIED, path="m.onnx", route=ROUTE), 0, "unverified"),
        (
            ExportResult(
                "onnx",
                Status.DIFFERENT,
                "1 of 1 checks failed",
                ROUTE,
                {"model": "m.keras", "backend": "jax"},
                checks=(CHECK,),
            ),
            1,
            "different: 1 of 1 checks failed",
        ),
        (ExportResult("onnx", Status.REFUSED, "it keeps state", ROUTE), 3, "refused: it keeps"),
        (ExportResult("onnx", Status.FAILED, "no way", ROUTE), 3, "failed: no way"),
    ],
    ids=lambda value: getattr(value, "status", None),
)
def test_exit_code_follows_the_result(model, monkeypatch, result, code, text):
    answer(monkeypatch, result)
    done = call(model, "--to", "onnx", "--out", model.with_name("m.onnx"))
    assert done.exit_code == code, done.output
    assert text in done.output


def test_json_is_the_whole_result(model, monkeypatch):
    answer(monkeypatch, ExportResult("onnx", Status.REFUSED, "it keeps state", ROUTE))
    done = call(model, "--to", "onnx", "--out", model.with_name("m.onnx"), "--json")
    assert json.loads(done.stdout)["reason"] == "it keeps state"


def test_missing_package_is_exit_3_and_names_the_extra(model, monkeypatch):
    answer(monkeypatch, MissingPackageError('run: pip install "portable-models[onnx]"'))
    done = call(model, "--to", "onnx", "--out", model.with_name("m.onnx"))
    assert done.exit_code == 3
    assert 'portable: error: run: pip install "portable-models[onnx]"' in done.output


def test_interrupt_is_3_and_says_what_is_left(model, monkeypatch):
    answer(monkeypatch, KeyboardInterrupt())
    done = call(model, "--to", "onnx", "--out", "m.onnx")
    assert done.exit_code == 3
    assert "interrupted; nothing was left at m.onnx" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "coreml", "--out", "m"], "unknown target 'coreml'; the targets are saved_model"),
        (["--to", "jax", "--out", "deep/m"], "the folder .*deep does not exist"),
        (["--to", "jax", "--out", "m.pt2"], "the jax target writes a folder"),
        (["--to", "jax", "--out", "model.keras"], "model.keras exists already"),
    ],
)
def test_wrong_call_is_exit_2_and_one_line(model, monkeypatch, arguments, message):
    monkeypatch.chdir(model.parent)
    done = call("model.keras", *arguments)
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
    assert re.search(message, done.output), done.output


def test_missing_model_is_exit_2(tmp_path, backends):
    done = call(tmp_path / "no.keras", "--to", target(backends), "--out", tmp_path / name(backends))
    assert done.exit_code == 2
    assert "there is no file" in done.output


@pytest.mark.parametrize("text", ["[1]", "{"])
def test_facts_that_are_no_object_are_exit_2(model, text):
    facts = model.with_name("facts.json")
    facts.write_text(text)
    done = call(model, "--to", "jax", "--out", model.with_name("m"), "--facts", facts)
    assert done.exit_code == 2
    assert "--facts" in done.output


def target(backends):
    return {"jax": "jax", "tensorflow": "saved_model", "torch": "torch"}[backends[0]]


def name(backends):
    return "m.pt2" if target(backends) == "torch" else "m"


def start(folder, *arguments):
    temporary = folder / "temporary"
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, str(FOREGROUND), "export", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_file_that_is_no_model_is_exit_3_in_one_line(model, backends):
    process = start(model.parent, "model.keras", "--to", target(backends), "--out", name(backends))
    output, errors = process.communicate()
    assert process.returncode == 3, errors
    assert "failed: model.keras" in output.replace(str(model.parent) + "/", "")
    assert "Traceback" not in output + errors
    assert not (model.parent / name(backends)).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_export_leaves_nothing(model, backends, number):
    process = start(model.parent, "model.keras", "--to", target(backends), "--out", name(backends))
    assert "starting Keras" in process.stderr.readline()
    # The child has been started or is about to be: either way nothing may outlive the command.
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 3, errors
    assert "interrupted; nothing was left at" in errors
    assert sorted(path.name for path in model.parent.iterdir()) == ["model.keras", "temporary"]
    assert list((model.parent / "temporary").iterdir()) == []
    assert not children_in(model.parent)


def children_in(folder):
    """Processes that name the folder, after at most the blink that a killed one takes to go."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        if str(folder) not in found:
            return False
    return True


@pytest.mark.parametrize("size", ["length", "length=", "=3", "length=many", "length=0"])
def test_size_that_is_none_is_the_users_mistake(model, size):
    done = call(model, "--to", "onnx", "--out", model.with_name("m.onnx"), "--size", size)
    assert done.exit_code == 2
    assert "expected AXIS=N with a whole number" in done.output


def test_sample_that_is_not_there_is_the_users_mistake(model):
    out = model.with_name("m.onnx")
    done = call(model, "--to", "onnx", "--out", out, "--sample", model.with_name("none.npz"))
    assert done.exit_code == 2
    assert "there is no such file" in done.output


def test_options_reach_the_order(model, monkeypatch):
    seen = []

    def export_many(orders, progress):
        seen.extend(orders)
        return [ExportResult("onnx", Status.REFUSED, "no", ROUTE)]

    monkeypatch.setattr(cli_export, "export_many", export_many)
    given = ["--size", "length=8", "--size", "image.1=32", "--allow-random", "--trainable"]
    call(model, "--to", "onnx", "--out", model.with_name("m.onnx"), *given)
    assert dict(seen[0].sizes) == {"length": 8, "image.1": 32}
    assert (seen[0].allow_random, seen[0].trainable) == (True, True)


def test_a_note_is_shown(model, monkeypatch):
    note = "the way by Keras on tensorflow was left: it failed"
    answer(monkeypatch, ExportResult("onnx", Status.VERIFIED, path="m", route=ROUTE, notes=(note,)))
    assert f"note: {note}" in call(model, "--to", "onnx", "--out", model.with_name("m")).output
