"""The page of findings is up to date, and its scripts show what their texts say."""

import os
import re
import subprocess
import sys

import pytest

from .pages import ROOT

FOLDER = ROOT / "docs" / "findings"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


def seen(name):
    """What the text says was printed, by backend."""
    text = (FOLDER / f"{name}.md").read_text()
    (block,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    return dict(line.split(": ", 1) for line in block.splitlines())


def test_the_page_is_what_its_tool_writes():
    done = subprocess.run([sys.executable, "tools/findings_page.py", "--check"], cwd=ROOT)
    assert done.returncode == 0, "run python tools/findings_page.py"


def test_every_script_has_a_text_is_short_and_is_on_the_page():
    assert SCRIPTS
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == SCRIPTS
    page = (ROOT / "docs" / "findings.md").read_text()
    for name in SCRIPTS:
        assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 25
        assert f"findings/{name}.md" in page
        assert set(seen(name)) == {"jax", "tensorflow", "torch"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_shows_what_its_text_says(name, backends):
    told = seen(name)
    odd = next(b for b in told if list(told.values()).count(told[b]) == 1)
    if odd not in backends:
        pytest.skip(f"needs {odd}")
    # On the others the tests of known gaps show that there is none.
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), odd],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()[-1].removeprefix(f"{odd}: ")
    assert _alike(printed, told[odd]), printed


def _alike(printed, expected):
    """Numbers to their last digit but one; words as they are."""
    try:
        return abs(float(printed) - float(expected)) <= 2e-4
    except ValueError:
        return printed == expected
