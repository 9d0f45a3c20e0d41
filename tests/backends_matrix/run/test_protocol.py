"""Events between noise, and processes that end, hang or close their output."""

import asyncio
import os
import select
import signal
import subprocess
import sys

import pytest

from backends_matrix.run import process as processes
from backends_matrix.run.process import (
    WorkerCrashedError,
    WorkerHungError,
    WorkerProcess,
    WorkerUnavailableError,
)
from backends_matrix.run.protocol import EVENTS, decode_event, encode_event, is_event, make_token

TOKEN = "portable-event-0123456789abcdef:"
DONE = encode_event(TOKEN, "done", {"key": "a"}).encode()


def test_tokens_differ():
    assert make_token() != TOKEN


def test_an_event_is_read_back():
    assert decode_event(TOKEN, DONE) == ({"event": "done", "key": "a"}, b"")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"Downloading 100%\r",
        b"\xff\xfe\x00",
        b"{}",
        b'{"event": "done", "key": "forged"}\n',
        TOKEN.encode(),
        TOKEN.encode() + b"{",
        TOKEN.encode() + b"[]",
        TOKEN.encode() + b"null",
        TOKEN.encode() + b'{"event": "done"}',
        TOKEN.encode() + b'{"event": "done", "key": 3}',
        TOKEN.encode() + b'{"event": ["done"]}',
        TOKEN.encode() + b'{"event": "unheard of"}',
        DONE[:-4],
        b'portable-event-fedcba9876543210:{"event": "done", "key": "a"}',
    ],
)
def test_noise_is_no_event_and_never_raises(line):
    assert decode_event(TOKEN, line) == (None, line)


def test_noise_before_an_event_is_cut_off():
    event, noise = decode_event(TOKEN, b"no line's end" + DONE)
    assert (event["key"], noise) == ("a", b"no line's end")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_its_fields_checked(event):
    assert is_event({"event": event}) == (not EVENTS[event])
    for name in EVENTS[event]:
        assert not is_event({"event": event, **dict.fromkeys(EVENTS[event]), name: None})


WORKER = """
import json, os, sys, time
token = sys.argv[sys.argv.index("--token") + 1]
def send(**event): os.write(1, (token + json.dumps(event) + "\\n").encode())
"""
READY = 'send(event="ready", environment={})\nsys.stdin.readline()\n'


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Give a function that starts a made-up worker and asks it one thing."""

    def started(script, silence=30.0):
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\n{WORKER}{script}")
        path.chmod(0o755)
        monkeypatch.setattr(processes.sys, "executable", str(path))
        monkeypatch.setattr(processes, "END_TIMEOUT", 0.5)

        async def ask():
            worker = await WorkerProcess.start([], dict(os.environ), tmp_path / "logs" / "jax.log")
            try:
                return await worker.answer({"do": "run"}, silence)
            finally:
                await worker.kill()

        return asyncio.run(ask())

    return started


def test_an_answer_between_noise_is_found_and_the_noise_is_kept(start, tmp_path):
    script = READY + 'os.write(1, b"noise\\nmore")\nsend(event="done", key="a")\n'
    assert start(script)["key"] == "a"
    assert (tmp_path / "logs" / "jax.log").read_bytes() == b"noise\nmore"


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("sys.exit(5)", WorkerCrashedError, "ended with exit code 5"),
        ("print('no jax', file=sys.stderr)\nsys.exit(1)", WorkerCrashedError, "words: no jax"),
        ('send(event="unavailable", reason="no tpu")', WorkerUnavailableError, "no tpu"),
        (READY + "os.kill(os.getpid(), 9)", WorkerCrashedError, "was killed by SIGKILL"),
        (READY + "os.kill(os.getpid(), 40)", WorkerCrashedError, "was killed by"),
        (READY + "os.close(1)\ntime.sleep(60)", WorkerCrashedError, "closed its output"),
        (READY + "os.close(0)\nos.close(1)", WorkerCrashedError, "ended with exit code"),
    ],
)
def test_a_worker_that_ends_is_told_from_one_that_answers(start, script, kind, words):
    with pytest.raises(kind, match=words):
        start(script)


def test_noise_is_no_sign_of_life(start):
    script = READY + "while True: os.write(1, b'busy\\n'); time.sleep(0.05)"
    with pytest.raises(WorkerHungError, match=r"no sign of life for 0\.5 seconds"):
        start(script, silence=0.5)


def test_a_line_without_end_does_not_fill_the_memory(start, monkeypatch):
    monkeypatch.setattr(processes, "_LINE_LIMIT", 1000)
    with pytest.raises(WorkerCrashedError, match="printed a line of more than 1,000 bytes"):
        start(READY + "os.write(1, b'x' * 5000)\ntime.sleep(60)")


def test_last_words_are_those_of_the_command_during_which_it_died(start, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "jax.log").write_text("the words of another worker\n")
    with pytest.raises(WorkerCrashedError) as caught:
        start("print('of start', file=sys.stderr, flush=True)\n" + READY + "sys.exit(3)")
    assert str(caught.value) == "the worker ended with exit code 3"


def test_a_log_that_is_a_link_is_not_followed(start, tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "jax.log").symlink_to(tmp_path / "precious")
    with pytest.raises(WorkerUnavailableError, match="symbolic link"):
        start(READY)
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_process_that_holds_the_pipe_open_is_not_waited_for(start, tmp_path):
    orphan = "pid = os.fork()\nif pid == 0:\n    os.setsid()\n    time.sleep(60)\n    os._exit(0)\n"
    answer = 'send(event="done", key=str(pid))\ntime.sleep(60)'
    child = int(start(orphan + READY + answer)["key"])
    os.kill(child, signal.SIGKILL)  # it still runs, so the end of its pipe was not waited for


def test_no_python_no_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(processes.sys, "executable", str(tmp_path / "absent"))
    with pytest.raises(WorkerUnavailableError, match="no worker can be started: No such file"):
        asyncio.run(WorkerProcess.start([], {}, tmp_path / "logs" / "jax.log"))


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(b"a command\\n")
child.stdin.flush()
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
CHILD = """
import os, sys, time
from backends_matrix.run.parent_death import CommandReader, die_with_parent
{how}
os.write(1, b"ready\\n")
time.sleep(600)
"""
HOWS = {"thread": "next(CommandReader(sys.stdin).lines())"}
if sys.platform.startswith("linux"):
    HOWS["kernel"] = "die_with_parent(os.getppid())"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="processes are watched by pidfd_open")
@pytest.mark.parametrize("how", HOWS)
def test_a_worker_that_hangs_ends_with_its_killed_parent(how):
    # A command is being answered: the thread has handed one line out.
    child = CHILD.format(how=HOWS[how])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, child], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        watched = os.pidfd_open(pid)
        try:
            parent.send_signal(signal.SIGKILL)
            # Readable once the process has ended.
            assert select.select([watched], [], [], 30)[0] == [watched]
        finally:
            os.close(watched)


def test_a_parent_that_is_gone_already_ends_the_worker():
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells of a parent's death")
    script = (
        "from backends_matrix.run.parent_death import die_with_parent\ndie_with_parent(1234567)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 1


def test_the_end_of_input_while_idle_is_an_ordinary_end():
    script = (
        "import sys\nfrom backends_matrix.run.parent_death import CommandReader\n"
        "reader = CommandReader(sys.stdin)\n"
        "for line in reader.lines(): reader.mark_idle(); print(line.strip(), flush=True)\n"
        "print('end')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write("a command\n")
        process.stdin.flush()
        assert process.stdout.readline() == "a command\n"
        process.stdin.close()
        assert process.stdout.read() == "end\n"
    assert process.returncode == 0
