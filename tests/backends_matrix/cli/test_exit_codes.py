"""Exit code 1 says that a difference was found. Every other failure is 2 or 3, with one line."""

import errno
import os
import signal
import subprocess
import sys

import click
import pytest

from backends_matrix.cli.exit_codes import run_guarded
from backends_matrix.cli.messages import LONGEST
from backends_matrix.errors import CallError, RunError
from backends_matrix.report import ReportError


def raising(error):
    def command():
        raise error

    return command


@pytest.fixture(autouse=True)
def in_foreground():
    """A background job, or nohup, hands down that signals are to be ignored."""
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGHUP, signal.SIG_DFL),
        )
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def kill(number):
    def command():
        os.kill(os.getpid(), number)

    return command


FULL = OSError(errno.ENOSPC, "No space left on device", "out/report.json")
HOSTILE = "\x1b[31m\u202e" + "x" * 10_000 + "\nsecond line"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (lambda: None, 0, ""),
        (lambda: 1, 1, ""),
        (raising(SystemExit(1)), 1, ""),
        (raising(SystemExit(None)), 0, ""),
        (raising(SystemExit("a reason")), 3, "a reason"),
        (raising(CallError("wrong call")), 2, "wrong call"),
        (raising(click.UsageError("no such option")), 2, "no such option"),
        (raising(click.FileError("a.json", "it is locked")), 2, "it is locked"),
        (raising(click.ClickException("a plain one")), 2, "a plain one"),
        (raising(RunError("nothing ran")), 3, "nothing ran"),
        (raising(ReportError("no report")), 3, "no report"),
        (raising(click.Abort()), 3, "interrupted"),
        (raising(KeyboardInterrupt()), 3, "interrupted"),
        (kill(signal.SIGTERM), 3, "interrupted"),
        (kill(signal.SIGHUP), 3, "interrupted"),
        (kill(signal.SIGINT), 3, "interrupted"),
        (raising(FULL), 3, "No space left on device: out/report.json"),
        (raising(BrokenPipeError()), 3, ""),
        (raising(MemoryError()), 3, "not enough memory"),
        (raising(ExceptionGroup("several", [RunError("nothing ran")])), 3, "nothing ran"),
        (raising(ExceptionGroup("several", [ValueError("a bug"), FULL])), 3, "No space left"),
        (raising(RunError(HOSTILE)), 3, "second line" if LONGEST > 20_000 else "characters)"),
    ],
)
def test_a_failure_has_its_exit_code_and_one_line(capsys, command, code, words):
    assert run_guarded(command) == code
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) <= 1
    assert "Traceback" not in said
    assert len(said) < 3000
    assert "\x1b" not in said


def test_a_fault_of_ones_own_leaves_a_crash_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_guarded(raising(ZeroDivisionError("of ours"))) == 3
    [file] = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert str(file) in said
    assert "ZeroDivisionError: of ours" in said
    assert "Traceback (most recent call last)" in file.read_text()


def test_a_crash_file_that_cannot_be_written_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert run_guarded(raising(ZeroDivisionError("of ours"))) == 3
    assert "could not be written" in capsys.readouterr().err


def portable(*arguments, script="", **options):
    """Run the command through a shell, which can close its outputs."""
    line = f'exec "{sys.executable}" -m backends_matrix {" ".join(arguments)} {script}'
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, **options)


@pytest.mark.parametrize("command", [("versions",), ("--help",), ("matrix", "--help")])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
def test_a_full_standard_output_is_said_with_exit_3(command):
    done = portable(*command, script=">/dev/full")
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_failure(closed):
    done = portable("versions", script=closed)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_difference():
    line = f'("{sys.executable}" -m backends_matrix versions; echo $? >&2) | true'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert done.stderr.strip() in ("0", "3"), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "/no/such/folder"),
        ("compare", "/no/such/folder", "/nor/this"),
        ("convert", "/no/such.keras", "/nor/this.keras"),
        ("matrix", "x" * 5000),
        ("run", "boston", "--out", "/dev/null/inside"),
        ("matrix", "boston", "--epochs", "999999999999999999999999x"),
        ("matrix", "boston", "--timeout", "nan"),
        ("matrix", "boston", "--seed", "-1"),
        ("selftest", "--fault", "none"),
    ],
)
def test_a_wrong_call_is_2_with_one_line(arguments, tmp_path):
    done = portable(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    # Before it, a run may have said what is going to be run.
    *before, last = done.stderr.splitlines()
    assert last.startswith("portable: error: ")
    assert len(before) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_first_second_ends_without_a_traceback(number):
    script = (
        "import os, signal, sys, threading\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'click': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['portable', 'versions']\n"
        "from backends_matrix.entry import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == "portable: error: interrupted before it began\n"
