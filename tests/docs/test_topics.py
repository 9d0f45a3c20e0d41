"""``docs/topics.md`` names every topic and every name of Keras, each with a page and a test that exist."""

import ast
import functools
import importlib.util
import re

import pytest

from .pages import ROOT
from .topics import TOPICS

PAGE = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
TOPIC_ROWS = re.findall(r"^\| ([^|`]+) \| (\[.+\)) \| `(\S+)` \|$", PAGE, re.MULTILINE)
NAME_ROWS = re.findall(r"^\| `(\w+)` \| (.+) \| `(\S+)::(\w+)` \|$", PAGE, re.MULTILINE)
TITLES = {
    "loss": "Losses",
    "metric": "Metrics",
    "optimizer": "Optimizers",
    "regularizer": "Regularizers",
    "initializer": "Initializers",
    "constraint": "Constraints",
}


@functools.cache
def section_6():
    path = ROOT / "tests" / "portable_models" / "names" / "section_6.py"
    spec = importlib.util.spec_from_file_location("names_of_section_6", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def functions_of(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@functools.cache
def words_of(folder):
    """The words of all files of a folder: the cases of a test stand in its file or in one beside it."""
    return {
        word
        for path in folder.glob("*.py")
        for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }


def names_below(title):
    section = PAGE.split(f"### {title}\n")[1].split("\n### ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_every_topic_has_one_row():
    assert [topic for topic, _, _ in TOPIC_ROWS] == TOPICS


def test_every_test_of_a_topic_exists():
    assert [path for _, _, path in TOPIC_ROWS if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("kind", TITLES)
def test_every_name_of_a_kind_has_one_row(kind):
    assert names_below(TITLES[kind]) == section_6().NAMES[kind]


def test_every_function_of_metrics_has_one_row():
    listed = section_6()
    expected = [*listed.METRIC_FUNCTIONS, *listed.FUNCTION_ALIASES]
    assert names_below("Functions of metrics") == expected


def test_every_test_of_a_name_exists_beside_a_case_of_that_name():
    for name, _, file, test in NAME_ROWS:
        path = ROOT / file
        assert test in functions_of(path)
        assert name in words_of(path.parent), f"no case of {name}"


def test_the_glossary_explains_the_words_of_the_verdicts():
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^(\w.*)\n: ", glossary, re.MULTILINE)
    needed = {"judge", "replica", "noise floor", "undecidable", "worst ratio", "cell", "variant"}
    assert needed | {"level 0", "level 1", "level 2", "digest"} <= set(words)
