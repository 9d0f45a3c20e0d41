"""Programs as people write them: each mistake is found on its line, sound programs give nothing."""

import re
import tomllib
from pathlib import Path

import pytest

from backends_matrix.lint import lint_text
from backends_matrix.lint.rule import RULES

FOLDER = Path(__file__).with_name("programs")
MARK = re.compile(r"  #((?: PK\d{3})+)$")


def programs(pattern):
    return [
        pytest.param(each["text"].lstrip("\n"), id=each["title"])
        for path in sorted(FOLDER.glob(pattern))
        for each in tomllib.loads(path.read_text(encoding="utf-8"))["program"]
    ]


MISTAKEN, SOUND = programs("mistakes_*.toml"), programs("sound_*.toml")


def marked(text):
    """The rules that the ends of lines name, with their lines."""
    found = [(number, MARK.search(line)) for number, line in enumerate(text.splitlines(), 1)]
    return {(number, rule) for number, mark in found if mark for rule in mark[1].split()}


@pytest.mark.parametrize("text", MISTAKEN)
def test_every_marked_mistake_is_found_and_nothing_else(text):
    assert marked(text)
    # The marks are taken away: a comment must not help to find the mistake.
    plain = "\n".join(MARK.sub("", line) for line in text.splitlines()) + "\n"
    assert {(each.line, each.rule) for each in lint_text(plain, "program.py")} == marked(text)


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_program_gives_no_finding(text):
    assert lint_text(text, "program.py") == []


def test_there_are_many_programs_of_many_rules():
    assert len(MISTAKEN) >= 50
    assert len(SOUND) >= 25
    rules = {rule for each in MISTAKEN for _, rule in marked(each.values[0])}
    assert rules <= RULES.keys()
    assert len(rules) >= 50
