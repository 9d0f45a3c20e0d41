"""Scripts that show a difference with Keras and NumPy alone."""

import ast
from dataclasses import replace

import pytest

from backends_matrix.check.reduce.case import Case, Given, Node, Reference, Shown
from backends_matrix.check.reduce.script import MOST_LINES, write_script
from backends_matrix.check.reduce.smaller_source import (
    FILE_METHODS,
    fewer_arguments,
    smaller_definitions,
    smaller_numbers,
)
from backends_matrix.check.reduce.trial import Failure

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


def test_methods_that_make_files_stay_whole_where_a_file_differs():
    found = list(smaller_definitions((OWN,), FILE_METHODS))
    assert any("y = x + 1" not in each[0] for each in found)
    assert all("return super().get_config()" in each[0] for each in found)
    own = replace(POOL, definitions=(OWN,), shown=Shown.FILE)
    assert all("get_config" in each.definitions[0] for each in own.smaller())


def test_arguments_go_one_at_a_time():
    assert list(fewer_arguments("keras.layers.Dense(3, use_bias=False, name='a')")) == [
        "keras.layers.Dense(3, use_bias=False)",
        "keras.layers.Dense(3, name='a')",
    ]
    assert list(fewer_arguments("")) == []


def test_outputs_are_shown_by_a_call_on_arrays_where_weights_play_no_part():
    case = replace(POOL, shown=Shown.FORWARD)
    plain = next(iter(next(iter(case.tidier())).tidier()))
    text = write_script(plain)
    assert "fit" not in text
    assert "keras.Model" not in text
    assert len(text.splitlines()) < 25


def test_outputs_in_training_are_those_of_a_model_in_training():
    case = replace(CHAIN, shown=Shown.FORWARD, functional=True, training=True)
    assert "out = model(xs, training=True)" in write_script(case)
    assert not any(each.direct for each in replace(case, equal_weights=False).tidier())


def test_another_pair_of_backends_is_another_failure():
    first = Failure("outputs", frozenset({("jax", "torch")}), 0.5)
    assert first.is_like(replace(first, difference=0.1))
    assert not first.is_like(replace(first, pairs=frozenset({("jax", "tensorflow")})))
    assert not first.is_like(replace(first, part="state"))
    assert first.involves("torch")
