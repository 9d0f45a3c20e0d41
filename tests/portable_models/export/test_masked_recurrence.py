"""Recurrent layers unrolled for LiteRT and OpenVINO keep what their masks do."""

import keras
import numpy as np
import pytest
from keras import layers

from portable_models.export.preparation import unroll

STEPS = 6
TOKENS = np.array(
    [[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [0, 0, 3, 5, 8, 9], [7, 0, 9, 0, 3, 0], [0] * STEPS],
    "int32",
)
"""Full, padded at the end, padded at the start, with holes, nothing but padding."""


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize(
    "wrap", [lambda layer: layer, layers.Bidirectional], ids=["alone", "bidirectional"]
)
@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_outputs_are_those_of_the_loop(kind, wrap, sequences):
    keras.utils.set_random_seed(0)
    tokens = keras.Input((STEPS,), dtype="int32")
    x = layers.Embedding(10, 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, wrap(kind(3, return_sequences=sequences))(x))
    before = keras.ops.convert_to_numpy(model(TOKENS))
    unroll(model)
    after = keras.ops.convert_to_numpy(model(TOKENS))
    # The same sums in the same order, compiled apart: one unit in the last place of values below 1.
    np.testing.assert_allclose(after, before, rtol=0, atol=2**-23)
