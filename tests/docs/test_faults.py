"""``docs/faults.md`` lists what was tried; every fault names a test that exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \| (.+) \| `(\S+)::(\w+)` \|$", PAGE, re.MULTILINE)


def test_at_least_180_faults_are_listed_and_counted():
    assert len(ROWS) >= 180
    assert f"Each of the {len(ROWS)} faults below is a test" in PAGE


def test_every_fault_is_listed_once():
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    for section in sections:
        faults = re.findall(r"^\| (.+?) \| .+ \| `", section, re.MULTILINE)
        assert len(faults) == len(set(faults)), section[:40]


def test_every_test_that_is_named_exists():
    for file in {file for _, _, file, _ in ROWS}:
        tree = ast.parse((ROOT / "tests" / "backends_matrix" / file).read_text(encoding="utf-8"))
        held = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        named = {test for _, _, other, test in ROWS if other == file}
        assert named <= held, file
