"""Scripts that show a difference with Keras and NumPy alone."""

import ast
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from backends_matrix.check.reduce.case import Case, Given, Node, Reference, Shown
from backends_matrix.check.reduce.script import MOST_LINES, write_script
from backends_matrix.check.reduce.smaller_source import smaller_definitions, smaller_numbers
from backends_matrix.check.reduce.trial import Failure

from .corpus import ROOT

X0 = Reference(True, 0)


def layer(path, make, *sources, call="{layer}({0})"):
    return Node(path, make, call, sources, make.partition("(")[0].rpartition(".")[2])


POOL = Case(
    "AveragePooling1D: outputs differ between backends.",
    (layer("pool", "keras.layers.AveragePooling1D(pool_size=4, padding='same')", X0),),
    (Given((6, 1), "float32"),),
    batch=1,
)
CHAIN = Case(
    "a chain",
    (
        layer("a", "keras.layers.Dense(units=8)", X0),
        layer("b", "keras.layers.Dense(units=4)", Reference(False, 0)),
        Node("", "", "keras.ops.add({0}, {1})", (Reference(False, 1), Reference(True, 1)), "Add"),
        layer("a2", "keras.layers.Softmax()", Reference(False, 2)),
    ),
    (Given((3,), "float32"), Given((4,), "float32")),
)
OWN = (
    "class Own(keras.layers.Layer):\n    def call(self, x):\n        y = x + 1\n        return y\n"
    "    def get_config(self):\n        return super().get_config()"
)


@pytest.mark.parametrize("shown", Shown)
@pytest.mark.parametrize("functional", [True, False])
@pytest.mark.parametrize("case", [POOL, CHAIN, replace(POOL, definitions=(OWN,))])
def test_a_script_is_short_and_imports_keras_and_numpy_alone(case, functional, shown):
    text = write_script(replace(case, shown=shown, functional=functional))
    imported = {
        name.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"json", "os", "subprocess", "sys", "numpy", "keras"}
    assert len(text.splitlines()) < MOST_LINES


def test_a_title_with_quotes_does_not_end_the_docstring():
    text = write_script(replace(POOL, title='"""; import os #\\'))
    assert isinstance(ast.parse(text).body[0], ast.Expr)


def test_smaller_cases_are_smaller():
    found = list(POOL.smaller())
    assert found
    for each in found:
        assert (each.size, each.values, each.nodes) != (POOL.size, POOL.values, POOL.nodes)
        assert each.size <= POOL.size


def test_a_graph_loses_calls_and_what_only_they_needed():
    first = next(iter(CHAIN.smaller()))
    assert [node.layer for node in first.nodes] == ["a", "b"]
    assert len(first.inputs) == 1
    without = [each for each in CHAIN.smaller() if len(each.nodes) == 3]
    bypassed = next(each for each in without if [n.layer for n in each.nodes] == ["b", "", "a2"])
    assert bypassed.nodes[0].sources == (X0,)
    assert bypassed.nodes[1].sources == (Reference(False, 0), Reference(True, 1))


def test_units_go_down_and_places_of_tensors_stay():
    assert "keras.layers.Dense(units=2)" in list(smaller_numbers("keras.layers.Dense(units=8)"))
    assert set(smaller_numbers("keras.ops.top_k({0}, k=2)")) == {"keras.ops.top_k({0}, k=1)"}
    assert list(smaller_numbers("{layer}({0}, {1})")) == []


def test_definitions_lose_methods_and_statements_but_not_the_call():
    found = list(smaller_definitions((OWN,)))
    assert any("get_config" not in each[0] for each in found)
    assert any("y = x + 1" not in each[0] for each in found)
    assert all("def call" in each[0] for each in found)


def test_another_pair_of_backends_is_another_failure():
    first = Failure("outputs", frozenset({("jax", "torch")}), 0.5)
    assert first.is_like(replace(first, difference=0.1))
    assert not first.is_like(replace(first, pairs=frozenset({("jax", "tensorflow")})))
    assert not first.is_like(replace(first, part="state"))
    assert first.involves("torch")


KINDS = {
    "even_average_pooling": "outputs",
    "leaky_relu_at_zero": "weights",
    "embedding_adam": "weights",
    "add_loss_twice": "weights",
    "state_of_bytes": "state",
    "file_of_bytes": "outputs",
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", KINDS)
def test_a_difference_is_written_down_and_reproduces(name, checked, tmp_path):
    result = checked(ROOT / "differences" / f"{name}.py", reduce=tmp_path)
    scripts = sorted(tmp_path.glob("*.py"))
    assert scripts, result.scripts
    assert {each.path for each in result.scripts if each.path} == set(map(str, scripts))
    largest = 0.0
    for script in scripts:
        assert len(script.read_text().splitlines()) < MOST_LINES
        assert "To reproduce" in script.with_suffix(".md").read_text()
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path
        )
        lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line)
        assert {"jax", "tensorflow", "torch"} <= set(lines), done.stderr
        flat = [
            [number for array in json.loads(each)[KINDS[name]] for number in array]
            for each in lines.values()
            if KINDS[name] in each
        ]
        pairs = [(a, b) for one in flat for two in flat for a, b in zip(one, two, strict=False)]
        largest = max(largest, *(abs(a - b) for a, b in pairs))
    assert largest > 1e-4
