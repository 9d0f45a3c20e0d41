"""Functions of frameworks and of Keras 2 give what the functions of keras.ops give that safe fixes call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backends_matrix.lint import equivalents, lint_text
from backends_matrix.lint.fixing import apply_fixes
from backends_matrix.lint.keras2_names import FUNCTIONS

PROGRAM = """\
import math
import jax
import keras
import numpy as np
import tensorflow as tf
import torch
from tensorflow.keras import backend as K


class Example(keras.layers.Layer):
    def call(self, x, y):
        i = keras.ops.cast(x > 0, "int32")
        s = keras.ops.sum(x)
        return {}
"""
TABLES = {
    "np": equivalents.NUMPY,
    "math": equivalents.MATH,
    "tf": equivalents.TENSORFLOW,
    "torch": equivalents.TORCH,
    "jax": equivalents.JAX,
    "K": {name: each.same for name, each in FUNCTIONS.items() if each.same and each.safe},
}
REDUCTIONS = ("x", "x, 1", "x, axis=(0, 1)", "x, axis=1, keepdims=True")
REDUCING = ("sum", "mean", "max", "min", "prod", "std", "var", "logsumexp")
COMPARING = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
PAIRED = ("add", "arctan2", "divide", "maximum", "minimum", "multiply", "power", "subtract")
ARGUMENTS = {
    "where": ("x > 0, x, y",),
    "clip": ("x, -0.5, 0.5",),
    "reshape": ("x, (-1,)",),
    "expand_dims": ("x, 1", "x, axis=1"),
    "squeeze": ("x[:1], 0",),
    "matmul": ("x, keras.ops.transpose(y)",),
    "tile": ("x, (2, 1)",),
    "one_hot": ("i, 4",),
    "arccosh": ("x + 2",),
    "cast": ('x, "int32"',),
    "logical_not": ("x > 0",),
    "shape": (),
    **dict.fromkeys(("concatenate", "stack"), ("[x, y]", "[x, y], 1")),
    **dict.fromkeys(("argmax", "argmin", "cumsum", "cumprod"), ("x", "x, 1")),
    **dict.fromkeys(("all", "any"), ("x > 0", "x > 0, 1")),
    **dict.fromkeys(("logical_and", "logical_or"), ("x > 0, y > 0",)),
    **dict.fromkeys(REDUCING, REDUCTIONS),
    **dict.fromkeys((*PAIRED, *COMPARING), ("x, y",)),
}
"""Arguments by the name in keras.ops; one tensor elsewhere."""


def expressions():
    for package, table in TABLES.items():
        for name, counterpart in table.items():
            for arguments in ARGUMENTS.get(counterpart, ("x",)):
                if package == "math":
                    arguments = "s, 2" if counterpart == "power" else "s"
                if name == "concat" and arguments == "[x, y]":
                    continue  # TensorFlow asks for the axis
                if name == "permute_dimensions":
                    arguments = "x, (1, 0)"
                yield f"{package}.{name}({arguments})"


EXPRESSIONS = [*expressions()]


def fixed(expression):
    text = PROGRAM.format(expression)
    text = apply_fixes(text, lint_text(text, "program.py")).text
    return text.rpartition("return ")[2].strip()


def test_there_is_a_fix_for_every_function():
    unfixed = [each for each in EXPRESSIONS if fixed(each) == each]
    assert unfixed == []


@pytest.fixture(scope="module")
def numbers(tmp_path_factory, backends):
    """What each expression, and what its fix writes, gives for the same numbers."""
    if missing := {"jax", "tensorflow", "torch"} - set(backends):
        pytest.skip(f"needs {', '.join(sorted(missing))}")
    folder = tmp_path_factory.mktemp("counterparts")
    source, target = folder / "expressions.json", folder / "numbers.json"
    source.write_text(json.dumps({each: fixed(each) for each in EXPRESSIONS}))
    child = Path(__file__).with_name("child_of_counterparts.py")
    done = subprocess.run(
        [sys.executable, str(child), str(source), str(target)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(target.read_text())


@pytest.mark.backends
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_function_and_its_counterpart_give_the_same_numbers(expression, numbers):
    before, after = numbers[expression]
    assert np.shape(after) == np.shape(before)
    # One function of float32; frameworks round it otherwise by a few units in the last place.
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
