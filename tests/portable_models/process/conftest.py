"""Programs in processes of their own, on the backend of the test process."""

import os
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run(tmp_path):
    """What a program prints, as lines; it is a file, so that it can be imported again by a child."""

    def run(program, *arguments, seconds=240):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        return run_command([sys.executable, str(file), *arguments], seconds)

    return run


def run_command(command, seconds=240, **settings):
    """The lines that a command prints; its errors are shown if it fails."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        **settings,
    )
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
    return done.stdout.splitlines()
