"""One run at a time for each folder; locks of the dead are taken over, and said."""

import errno
import json
import os
import socket
import subprocess
import sys

import pytest

from backends_matrix.errors import CallError, RunError
from backends_matrix.run.lock import LOCK_FILE, lock_folder
from backends_matrix.run.out_folder import open_folder


def test_a_folder_is_locked_once(tmp_path):
    with lock_folder(tmp_path) as note:
        assert note == ""
        words = rf"in use by process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(RunError, match=words), lock_folder(tmp_path):
            pass
    with lock_folder(tmp_path) as note:
        assert note == ""


def test_the_lock_of_a_killed_process_is_taken_over_and_said(tmp_path):
    script = (
        "import os, pathlib, signal\n"
        "from backends_matrix.run.lock import lock_folder\n"
        f"with lock_folder(pathlib.Path({str(tmp_path)!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script])
    assert done.returncode < 0
    with lock_folder(tmp_path) as note:
        assert note.endswith("which has died, was taken over")
        held = json.loads((tmp_path / LOCK_FILE).read_text())
        assert held == {"pid": os.getpid(), "host": socket.gethostname()}


def test_of_a_process_on_another_machine_nothing_is_known(tmp_path):
    (tmp_path / LOCK_FILE).write_text('{"pid": 1, "host": "elsewhere"}')
    with (
        pytest.raises(RunError, match=r"process 1 on elsewhere.*remove .*run\.lock"),
        lock_folder(tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pid": "1"}', '{"pid": true, "host": 1}']
)
def test_a_damaged_lock_that_nobody_holds_is_taken(tmp_path, text):
    (tmp_path / LOCK_FILE).write_text(text)
    with lock_folder(tmp_path) as note:
        assert note == ""


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK_FILE).symlink_to(tmp_path / "precious")
    with (
        pytest.raises(CallError, match="cannot be written to"),
        open_folder(tmp_path / "out", resume=False, command=[]),
    ):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.mark.parametrize("name", ["cells", "logs"])
def test_folders_that_are_links_are_not_followed(tmp_path, name):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    with open_folder(out, resume=False, command=[]):
        pass
    elsewhere.mkdir()
    (out / name).rmdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(CallError, match="symbolic link"), open_folder(out, resume=True, command=[]):
        pass


def test_a_second_run_in_the_same_folder_is_refused_before_anything_is_moved(tmp_path):
    with open_folder(tmp_path / "out", resume=False, command=[]):
        (tmp_path / "out" / "cells" / "one").mkdir()
        with (
            pytest.raises(RunError, match="in use by process"),
            open_folder(tmp_path / "out", resume=False, command=[]),
        ):
            pass
        assert (tmp_path / "out" / "cells" / "one").exists()


def test_what_an_interrupted_preparation_leaves_is_prepared_again(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / LOCK_FILE).touch()
    (out / ".run.json.x.partial").touch()
    with open_folder(out, resume=False, command=["portable"]):
        assert (out / "run.json").exists()


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, RunError), (errno.EACCES, CallError)])
def test_a_full_disk_is_not_the_calls_fault(tmp_path, monkeypatch, number, kind):
    def fail(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkstemp", fail)
    with (
        pytest.raises(kind, match=os.strerror(number)),
        open_folder(tmp_path / "out", resume=False, command=[]),
    ):
        pass
