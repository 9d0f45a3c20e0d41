"""The pages for people, as the tests of them read and run them."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "docs/your-own-study.md",
        "docs/checking.md",
        "docs/lint.md",
        "docs/matching.md",
        "docs/training.md",
        "docs/comparing.md",
        "docs/selftest.md",
        "docs/certify.md",
        "docs/start.md",
        "docs/move-my-model.md",
        "docs/portable-layer.md",
        "docs/my-own-data.md",
        "docs/check-in-ci.md",
        "docs/keras2.md",
    )
]
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(language):
    """The blocks of a language, each once, also where two pages show the same one."""
    found = {}
    for page in PAGES:
        for number, (kind, text) in enumerate(blocks_of(page)):
            if kind == language:
                found.setdefault(text, pytest.param(page, text, id=f"{page.stem}-{number}"))
    return list(found.values())


def blocks_of(page):
    """The language and text of every block of a page; those in a list stand without its indent."""
    text = page.read_text(encoding="utf-8")
    return [(kind, textwrap.dedent(body)) for kind, body in BLOCK.findall(text)]


def commands(program):
    lines = [
        (page, shlex.split(line[2:], comments=True))
        for page in PAGES
        for kind, text in blocks_of(page)
        if kind == "console"
        for line in text.splitlines()
        if line.startswith("$ ")
    ]
    found = [words for _, words in lines if program(words)]
    return [pytest.param(words, id=" ".join(words)) for words in dict.fromkeys(map(tuple, found))]


def shown(words):
    """The lines that a page shows below a command: what it prints, with an ellipsis for what is left out."""
    for page in PAGES:
        for kind, text in blocks_of(page):
            lines = text.splitlines() if kind == "console" else []
            for number, line in enumerate(lines):
                if line.startswith("$ ") and tuple(shlex.split(line[2:], comments=True)) == words:
                    rest = takewhile(lambda each: not each.startswith("$ "), lines[number + 1 :])
                    yield from (each for each in rest if each != "…")


def without_numbers(text):
    """Text whose numbers and widths do not count: those are of one machine."""
    return re.sub(r"[ \t]+", " ", re.sub(r"\d[\d.]*(e[+-]?\d+)?", "0", text)).strip()


def run(arguments, cwd, backend=""):
    path = os.pathsep.join(filter(None, (str(cwd), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": path}
    if backend:
        environment["KERAS_BACKEND"] = backend
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def own_model():
    """The file that the README checks as a user's own."""
    texts = [text for _, text in blocks_of(ROOT / "README.md")]
    (model,) = [text for text in texts if text.startswith("# model.py\n")]
    return model
