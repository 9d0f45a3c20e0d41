"""Every command and block of docs/export.md, run as a reader would."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from backends_matrix.cli.export import command
from portable_models.export import Order, export_many
from portable_models.export.errors import MissingPackageError
from portable_models.export.orders import check

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TRAINING = [text for kind, text in BLOCKS if text.startswith("# KERAS_BACKEND=")]
PLAIN = next(text for text in TRAINING if "plain.keras" in text)
CONSOLE = [text.strip() for kind, text in BLOCKS if kind == "console"]
COMMANDS = [text for text in CONSOLE if text.startswith("$ portable export ")]
CALLS = [text for kind, text in BLOCKS if kind == "python" and text not in TRAINING]
WITHOUT_KERAS = """
import sys
from portable_models.export.verifier import block_keras
block_keras()
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"))
"""


def order(line):
    program, name, *arguments = shlex.split(line.removeprefix("$ "))
    assert (program, name) == ("portable", "export")
    options = command.make_context("export", arguments).params
    options.pop("as_json")
    return Order(**options)


def python(arguments, folder, **variables):
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def train(text, folder, backends):
    wanted = re.match(r"# KERAS_BACKEND=(\w+)", text).group(1)
    backend = wanted if wanted in backends else backends[0]
    python(["-c", text], folder, KERAS_BACKEND=backend)


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory, backends):
    """A user's folder in which the page was followed; target -> result, or why it cannot be run here."""
    folder = tmp_path_factory.mktemp("page")
    for text in TRAINING:
        if text != PLAIN:
            train(text, folder, backends)
    found, orders = {}, []
    here = Path.cwd()
    os.chdir(folder)
    try:
        for line in COMMANDS:
            wanted = order(line)
            try:
                check(wanted)
                orders.append(wanted)
            except MissingPackageError as error:
                found[wanted.target] = str(error)
        for wanted, result in zip(orders, export_many(orders), strict=True):
            found[wanted.target] = result
    finally:
        os.chdir(here)
    return folder, found


def result_of(carried_out, target):
    folder, found = carried_out
    if isinstance(found[target], str):
        pytest.skip(found[target])
    return folder, found[target]


def test_page_holds_one_command_and_one_block_for_each_target():
    assert len(COMMANDS) == len(CALLS) == len({order(line).target for line in COMMANDS}) == 7


def test_every_other_command_of_the_page_prints_what_the_page_shows(tmp_path, backends):
    train(PLAIN, tmp_path, backends)
    (shown,) = set(CONSOLE) - set(COMMANDS)
    line, *lines = shown.splitlines()
    words = shlex.split(line.removeprefix("$ portable "))
    output = python(["-m", "backends_matrix", *words], tmp_path, COLUMNS="200")
    assert output.splitlines() == lines
    assert (tmp_path / "neutral.keras").exists()


@pytest.mark.parametrize("line", COMMANDS)
def test_command_gives_a_verified_artifact(carried_out, line):
    _, result = result_of(carried_out, order(line).target)
    assert result.reason == ""
    assert result.status == "verified"
    assert result.checks
    assert result.size_bytes > 0
    assert result.path == str(order(line).out)


@pytest.mark.parametrize(("line", "call"), [*zip(COMMANDS, CALLS, strict=True)], ids=COMMANDS)
def test_block_calls_the_artifact_without_keras(carried_out, tmp_path, line, call):
    folder, _ = result_of(carried_out, order(line).target)
    (tmp_path / "block.py").write_text(call)
    python(["-c", WITHOUT_KERAS, str(tmp_path / "block.py")], folder)


@pytest.mark.parametrize("line", COMMANDS)
def test_example_of_the_card_runs_without_keras_in_ten_lines(carried_out, tmp_path, line):
    folder, result = result_of(carried_out, order(line).target)
    card = (folder / f"{result.path}.card.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", card, re.MULTILINE | re.DOTALL)
    assert len([row for row in example.splitlines() if row.strip()]) <= 10
    (tmp_path / "example.py").write_text(example)
    assert python(["-c", WITHOUT_KERAS, str(tmp_path / "example.py")], folder).strip()


def test_card_tells_classes_and_metrics_of_the_training(carried_out):
    folder, found = carried_out
    result = next(r for r in found.values() if not isinstance(r, str) and "flowers" in r.path)
    card = (folder / f"{result.path}.card.md").read_text()
    assert "Classes: setosa, versicolor, virginica" in card
    assert re.search(r"Metrics from training: accuracy 0\.\d+", card)
    assert "compared with `flowers.keras` under Keras on" in card


def test_nothing_but_artifacts_and_cards_is_left(carried_out):
    folder, found = carried_out
    made = [Path(result.path).name for result in found.values() if not isinstance(result, str)]
    expected = {"flowers.keras", "reviews.keras", *made}
    expected |= {f"{name}.card.{kind}" for name in made for kind in ("json", "md")}
    assert {path.name for path in folder.iterdir()} == expected
