"""A step that differs is moved more often, where the judges agree, before it fails."""

import numpy as np
import pytest

from backends_matrix import check
from backends_matrix.check.compared_quantities import QUANTITIES, movements

from .findings_of_members import Found, stage

ROUGH_ON_ONE = """
import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="tests")
class Rough(layers.Layer):
    def call(self, x):
        wrong = ops.dtype(x) == "float32" and keras.backend.backend() == "tensorflow"
        return x * (1.001 if wrong else 1.0)


def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh"), Rough(), layers.Dense(1)])
"""


@pytest.fixture
def checked_with_progress(pool, tmp_path):
    def run(source):
        path = tmp_path / "model.py"
        path.write_text(source)
        said = []
        (result,) = check(str(path), pool=pool, progress=said.append).targets
        return result, said

    return run


def test_a_true_difference_fails_after_more_movements(checked_with_progress):
    result, said = checked_with_progress(ROUGH_ON_ONE)
    assert any("more movements" in line for line in said)
    failed = {(each.name, each.backend) for each in result.checks if each.status == "fail"}
    assert ("gradients", "tensorflow") in failed
    assert {backend for name, backend in failed if name == "gradients"} == {"tensorflow"}


def test_what_does_not_differ_is_not_moved_again(checked_with_progress):
    result, said = checked_with_progress(ROUGH_ON_ONE.replace("1.001", "1.0"))
    assert result.verdict == "portable"
    assert not any("more movements" in line for line in said)


def test_the_larger_movement_counts():
    (gradients,) = [each for each in QUANTITIES if each.check == "gradients"]
    found = Found(
        numbers__gradients=stage(**{"move.gradients": [1.0, 5.0]}),
        moves__gradients=stage(**{"move.gradients": [3.0, np.nan]}),
    )
    merged = movements(found, gradients)
    assert {name: float(move) for name, move in merged.items()} == {"0": 3.0, "1": 5.0}
