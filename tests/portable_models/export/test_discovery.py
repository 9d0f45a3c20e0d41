"""What inputs mean is found by running the model: dtypes, ranges, statistics, sizes that fit."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from portable_models.export.discovery import discover
from portable_models.export.errors import ExportError
from portable_models.export.inspection import view


def found(model, **sizes):
    return {tensor.name: tensor for tensor in discover(view(model), sizes).signature.inputs}


class Mixed(keras.Model):
    """Token ids first, float features second; nothing but its code says so."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.embed = layers.Embedding(50, 4)
        self.dense = layers.Dense(2)

    def build(self, tokens_shape, features_shape):
        self.embed.build(tokens_shape)
        self.dense.build((None, 4 + features_shape[-1]))

    def call(self, tokens, features):
        words = ops.mean(self.embed(tokens), axis=1)
        return self.dense(ops.concatenate([words, features], axis=-1))


def test_each_input_of_a_subclassed_model_has_its_own_dtype():
    model = Mixed()
    model(np.zeros((2, 5), "int32"), np.zeros((2, 3), "float32"))
    inputs = found(model)
    assert (inputs["tokens"].dtype, inputs["tokens"].limit) == ("int32", 50)
    assert (inputs["features"].dtype, inputs["features"].limit) == ("float32", None)


def test_ids_that_reach_a_table_through_other_layers_are_found():
    class Shift(layers.Layer):
        def call(self, x):
            return ops.cast(x, "int32") + 3

    ids = keras.Input((4,), name="ids")
    model = keras.Model(ids, layers.Dense(1)(layers.Embedding(20, 3)(Shift()(ids))))
    # Ids 0 to 16 become 3 to 19.
    assert found(model)["ids"].limit == 17


def test_statistics_of_normalization():
    normal = layers.Normalization()
    normal.adapt(np.array([[100.0, 1.0], [300.0, 3.0]], "float32"))
    x = keras.Input((2,), name="x")
    values = found(keras.Model(x, layers.Dense(1)(normal(x))))["x"].values
    assert values.source == "Normalization"
    np.testing.assert_allclose(values.mean, [[200.0, 2.0]])
    np.testing.assert_allclose(values.deviation, [[100.0, 1.0]])


def test_range_before_rescaling_and_numbers_of_an_encoding():
    image = keras.Input((4, 4, 3), name="image")
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 127.5, offset=-1)(image))
    kind = keras.Input((1,), dtype="int32", name="kind")
    y = layers.CategoryEncoding(7, output_mode="one_hot")(kind)
    inputs = found(keras.Model([image, kind], layers.Dense(1)(layers.Concatenate()([x, y]))))
    assert inputs["image"].values.low == 0.0
    assert inputs["image"].values.high == pytest.approx(255.0)
    assert inputs["kind"].limit == 7


def test_value_of_masked_steps():
    x = keras.Input((5, 2), name="x")
    model = keras.Model(x, layers.GRU(2)(layers.Masking(-1.0)(x)))
    assert found(model)["x"].values.mask_value == -1.0


def test_free_axes_get_names_of_their_own_where_the_model_takes_any_sizes():
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
    pool = layers.GlobalAveragePooling1D()
    model = keras.Model([a, b], layers.Add()([pool(a), pool(b)]))
    inputs = found(model)
    assert inputs["a"].symbols[1] != inputs["b"].symbols[1]
    assert inputs["a"].symbols[0] == inputs["b"].symbols[0] == "batch"


def test_axes_that_must_be_equal_share_a_name():
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 3), name="b")
    inputs = found(keras.Model([a, b], layers.Add()([a, b])))
    assert inputs["a"].symbols == inputs["b"].symbols


def test_sizes_of_a_u_net_are_multiples():
    image = keras.Input((None, None, 1), name="image")
    x = layers.MaxPooling2D(2)(layers.MaxPooling2D(2)(image))
    x = layers.UpSampling2D(2)(layers.UpSampling2D(2)(x))
    tensor = found(keras.Model(image, layers.Concatenate()([image, x])))["image"]
    assert tensor.step == 4
    assert tensor.symbols[1] != tensor.symbols[2]


def test_size_that_the_user_gives_is_fixed():
    image = keras.Input((None, None, 1), name="image")
    model = keras.Model(image, layers.Conv2D(1, 3)(image))
    assert found(model, height=20)["image"].shape == (None, 20, None, 1)
    assert found(model, **{"image.2": 9})["image"].shape == (None, None, 9, 1)


def test_size_of_no_axis_names_those_there_are():
    image = keras.Input((None, None, 1), name="image")
    model = keras.Model(image, layers.Conv2D(1, 3)(image))
    with pytest.raises(
        ExportError, match=r"--size length: no free axis .* height, width, image\.1"
    ):
        found(model, length=20)
