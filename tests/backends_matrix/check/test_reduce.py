"""Scripts that show a difference with Keras and NumPy alone."""

import ast
import json
import subprocess
import sys

import pytest

from backends_matrix.check.reduce.script import MOST_LINES, Case, write_script

from .corpus import ROOT

POOL = Case(
    "AveragePooling1D: outputs differ between backends.",
    "keras.layers.AveragePooling1D(pool_size=4, strides=1, padding='same')",
    ((6, 1),),
    ("float32",),
    batch=1,
)


def test_a_script_is_short_and_imports_keras_and_numpy_alone():
    text = write_script(POOL)
    imported = {
        name.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"json", "os", "subprocess", "sys", "numpy", "keras"}
    assert len(text.splitlines()) < MOST_LINES


def test_smaller_cases_are_smaller():
    assert all(each.size < POOL.size or each.values != POOL.values for each in POOL.smaller())
    assert POOL.smaller()


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["even_average_pooling", "leaky_relu_at_zero", "embedding_adam", "add_loss_twice"]
)
def test_a_difference_is_written_down_and_reproduces(name, checked, tmp_path):
    checked(ROOT / "differences" / f"{name}.py", reduce=tmp_path)
    scripts = sorted(tmp_path.glob("*.py"))
    if name == "add_loss_twice":
        # The layer is the user's own, which Keras alone cannot make.
        assert not scripts
        return
    assert scripts
    for script in scripts:
        assert len(script.read_text().splitlines()) < MOST_LINES
        assert "To reproduce" in script.with_suffix(".md").read_text()
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
        results = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        assert set(results) == {"jax", "tensorflow", "torch"}, done.stderr
        values = [json.loads(each) for each in results.values()]
        flat = [[number for part in each for number in part] for each in values]
        largest = max(
            abs(a - b) for one in flat for two in flat for a, b in zip(one, two, strict=True)
        )
        assert largest > 1e-4
