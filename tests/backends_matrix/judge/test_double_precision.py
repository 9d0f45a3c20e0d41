"""A judge computes in float64 from one end to the other; on the backend of this process."""

import json
import subprocess
import sys

PROGRAM = """
import json
import sys
from backends_matrix.judge.double_precision import compute_in_float64
from portable_models._backend import current

current().allow_double()
compute_in_float64()
import keras
import numpy as np

x = np.random.default_rng(0).normal(30.0, 1.0, size=(4, 8, 8, 6))
answers = {}
for name, (expression, expected) in json.loads(sys.argv[1]).items():
    found = keras.ops.convert_to_numpy(eval(expression))
    answers[name] = str(found.dtype), float(np.abs(found - eval(expected)).max())
print(json.dumps(answers))
"""

MEAN, VARIANCE = "x.mean((0, 1, 2))", "x.var((0, 1, 2))"
EXPRESSIONS = {
    "BatchNormalization": (
        "keras.layers.BatchNormalization(epsilon=1e-5)(x, training=True)",
        f"(x - {MEAN}) / np.sqrt({VARIANCE} + 1e-5)",
    ),
    "LayerNormalization": (
        "keras.layers.LayerNormalization(epsilon=1e-5)(x)",
        "(x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)",
    ),
    "var": ("keras.ops.var(x, (0, 1, 2))", VARIANCE),
    "cumsum": ("keras.ops.cumsum(x, 0)", "np.cumsum(x, 0)"),
    "mean": ("keras.ops.mean(x, (0, 1, 2))", MEAN),
}

ROUNDING = 1e-11
"""Variances of numbers around 30 lose four digits of 16; float32 would be off by 1e-5."""


def test_what_keras_promotes_to_float32_stays_float64():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(EXPRESSIONS)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert set(answers) == set(EXPRESSIONS)
    for name, (dtype, error) in answers.items():
        assert (name, dtype) == (name, "float64")
        assert error < ROUNDING, name
