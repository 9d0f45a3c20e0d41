"""Samples as rows on the device; on the backend of this process."""

import keras
import numpy as np
import pytest

from portable_models.data import ArraySamples, MultiHotSamples
from portable_models.training.programs.rows import rows_of


def test_bags_are_padded_with_a_word_that_does_not_count():
    samples = MultiHotSamples(
        np.array([4, 1], "int32"), np.array([0, 2, 2]), 5, np.array([1.0, 0.0])
    )
    rows = rows_of(samples)
    assert rows.arrays["ids"].tolist() == [[4, 1], [5, 5]]
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, rows.arrays)
    x, y, weight = rows.gather(tensors, keras.ops.convert_to_tensor(np.array([1, 0], "int32")))
    assert keras.ops.convert_to_numpy(x).tolist() == [[0, 0, 0, 0, 0], [0, 1, 0, 0, 1]]
    assert keras.ops.convert_to_numpy(y).tolist() == [0.0, 1.0]
    assert weight is None


def test_what_is_no_number_stays_with_the_pipelines():
    assert rows_of(ArraySamples(np.array([["a"], ["b"]]), np.zeros(2))) is None


def test_class_weights_are_multiplied_into_sample_weights():
    samples = ArraySamples(np.zeros((2, 1)), np.array([0.0, 1.0]), np.array([0.5, 2.0]))
    assert rows_of(samples, {0: 1.0, 1: 3.0}).arrays["w"].tolist() == [0.5, 6.0]
    with pytest.raises(ValueError, match="also hold"):
        rows_of(samples, {0: 1.0})
