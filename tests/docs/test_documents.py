"""The pages for people: sessions and packages that they name exist, every link leads somewhere."""

import importlib.metadata
import re
import subprocess
import sys

import pytest

from .pages import PAGES, ROOT, commands


@pytest.mark.parametrize("words", commands(lambda words: "nox" in words and "-s" in words))
def test_a_session_of_nox_exists(words):
    sessions = re.findall(
        r"^def (\w+?)_?\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE
    )
    assert words[words.index("-s") + 1] in sessions


@pytest.mark.parametrize("words", commands(lambda words: "install" in words))
def test_what_is_installed_exists(words):
    for word in words[words.index("install") + 1 :]:
        name, _, extra = word.partition("[")
        if name in ("portable-models", "."):  # by its name, or from the checkout
            extras = importlib.metadata.metadata("portable-models").get_all("Provides-Extra")
            assert extra.rstrip("]") in extras
        else:
            assert name == "nox"


@pytest.mark.parametrize("page", sorted({*PAGES, *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")}))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_results_are_those_of_the_committed_run():
    rendered = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "results.py"), "--check"],
        cwd=ROOT,
        capture_output=True,
    )
    assert rendered.returncode == 0, rendered.stderr
