"""Real differences become scripts that show them in fresh processes, and descriptions for an issue."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backends_matrix.check.reduce.case import Case, Given, Node, Reference, Shown
from backends_matrix.check.reduce.description import describe
from backends_matrix.check.reduce.script import MOST_LINES, write_script
from backends_matrix.check.reduce.search import Found
from backends_matrix.check.reduce.trial import Failure, Outcome
from backends_matrix.check.result import Check, Kind, Status

from .conftest import BACKENDS
from .corpus import ROOT

KINDS = {
    "even_average_pooling": "outputs",
    "leaky_relu_at_zero": "weights",
    "state_of_bytes": "state",
    "file_of_bytes": "outputs",
    "embedding_adam": "weights",
    "add_loss_twice": "weights",
}
"""What of each differs: outputs, gradients (seen in the weights), state, a file, an optimizer, a loss."""

FAST = ("even_average_pooling", "leaky_relu_at_zero")


def printed(script, folder):
    """What a script prints when a person runs it: numbers by the label of each run."""
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=folder)
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line)
    assert set(BACKENDS) <= set(lines), done.stdout + done.stderr
    return {label: json.loads(text) for label, text in lines.items()}


def widest(runs, part):
    """The largest difference between two runs."""
    flat = [[number for array in each[part] for number in array] for each in runs.values()]
    return max(abs(a - b) for one in flat for two in flat for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=() if each in FAST else pytest.mark.corpus) for each in KINDS],
)
def test_a_difference_is_written_down_and_reproduces(name, checked, tmp_path):
    result = checked(ROOT / "differences" / f"{name}.py", reduce=tmp_path)
    scripts = sorted(tmp_path.glob("*.py"))
    assert scripts, result.scripts
    assert {each.path for each in result.scripts} == set(map(str, scripts))
    for script in scripts:
        text = script.read_text()
        assert len(text.splitlines()) < MOST_LINES
        assert imports(text) == {"json", "os", "subprocess", "sys", "numpy", "keras"}
        told = script.with_suffix(".md").read_text()
        assert text in told
        assert "**Versions.**" in told
        runs = printed(script, tmp_path)
        assert all(f"| {label} | " in told for label in runs)
        assert widest(runs, KINDS[name]) > 1e-4


def imports(text):
    """The packages that a script imports from, in either way."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                found |= {each.name.partition(".")[0] for each in names}
            case ast.ImportFrom(module=str() as module):
                found.add(module.partition(".")[0])
    return found


@pytest.mark.corpus
def test_an_interrupt_ends_the_search_and_the_report_is_shown(tmp_path):
    target = ROOT / "differences" / "even_average_pooling.py"
    command = ["-m", "backends_matrix", "check", str(target), "--reduce", str(tmp_path)]
    started = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in started.stderr:
        if ": reduce " in line and "lines" in line:
            os.kill(started.pid, signal.SIGINT)
            break
    output, errors = started.communicate()
    assert started.returncode == 1, errors
    assert "Traceback" not in errors
    (script,) = tmp_path.glob("*.py")
    assert "outputs on torch" in output
    assert widest(printed(script, tmp_path), "outputs") > 1e-4


PAGE = Path(__file__).parents[3] / "docs" / "checking.md"
POOL = Node(
    "pool",
    "keras.layers.AveragePooling2D(pool_size=(1, 4), padding='same')",
    "{layer}({0})",
    (Reference(True, 0),),
    "AveragePooling2D",
)
ON_THE_PAGE = Case(
    "AveragePooling2D: outputs on torch differ from those on jax and tensorflow",
    (POOL,),
    (Given((1, 3, 1), "float32"),),
    batch=1,
    values="ramp",
    shown=Shown.FORWARD,
    equal_weights=False,
    direct=True,
)


def test_the_script_on_the_page_is_one_that_is_written_and_shows_its_numbers(pool, tmp_path):
    (shown,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    # The formatter lays out the code of pages in its own way.
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(write_script(ON_THE_PAGE)))
    script = tmp_path / "even_average_pooling_pool_outputs.py"
    script.write_text(shown)
    runs = printed(script, tmp_path)
    pairs = frozenset({("jax", "torch"), ("tensorflow", "torch")})
    found = Found(ON_THE_PAGE, Failure("outputs", pairs, 0.25), Outcome(runs, []))
    quoted = [line[2:] for line in PAGE.read_text().splitlines() if line.startswith("> ")]
    cause = next(line for line in quoted if line.startswith("**Found by**"))
    check = Check(
        "outputs", "torch", Status.FAIL, Kind.KERAS, cause.partition("on torch: ")[2], "pool"
    )
    told = describe(found, check, script.name, {})
    plain = re.sub(r"```python\n.*?```\n\n|\*\*Versions.*?\n\n", "", told, flags=re.DOTALL)
    lines = [line for line in plain.splitlines() if line]
    assert quoted == [f"**{lines[0].removeprefix('# ')}**", *lines[1:]]
