"""Tolerances of an exported module are parts of the scale that its outputs have."""

import keras
import numpy as np
import pytest
from torch_module_checks import keras_call

from portable_models.export.torch_module import verify, write_torch_module

WIDTH = 64


@pytest.fixture
def cancelling():
    """A model whose output is next to nothing for the one row that it is asked about alone."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(1)])
    row = np.random.default_rng(1).standard_normal((1, WIDTH)).astype("float32")
    kernel, bias = model.get_weights()
    model.set_weights([kernel, bias - keras_call(model, row)[0][0] + 1e-6])
    assert 0 < abs(keras_call(model, row)[0].item()) < 1e-5
    return model


def outputs_of(checks):
    return [check for check in checks if check.name == "out 0"]


def test_an_output_that_cancels_has_the_scale_of_the_others(cancelling, tmp_path):
    write_torch_module(cancelling, tmp_path / "m")
    checks = verify(cancelling, tmp_path / "m")
    assert all(check.passed for check in checks)
    found = outputs_of(checks)
    assert [check.batch for check in found] == [1, 5, 17]
    assert len({check.scale for check in found}) == 1
    assert found[0].scale > 0.5


def test_a_constant_that_is_off_by_little_is_found_there_all_the_same(cancelling, tmp_path):
    write_torch_module(cancelling, tmp_path / "m")
    kernel, bias = cancelling.get_weights()
    cancelling.set_weights([kernel, bias + 1e-4])
    assert not any(check.passed for check in outputs_of(verify(cancelling, tmp_path / "m")))
