"""A model's inputs and outputs are found whatever its structure, and calls go the same way back."""

import keras
import numpy as np
import pytest
from keras import layers

from portable_models.export.errors import ExportError, RefusedError
from portable_models.export.inspection import view
from portable_models.export.preparation import LONGEST_SUM, check_limits, split_long_sums, unroll
from portable_models.export.routes import ROUTES, Limit


def inputs_of(model):
    return [(t.name, t.shape, t.dtype, t.limit) for t in view(model).signature.inputs]


def outputs_of(model):
    return [(t.name, t.shape) for t in view(model).signature.outputs]


def embedding_model(dtype, wrap=lambda layer: layer):
    tokens = keras.Input((6,), dtype=dtype, name="tokens")
    x = wrap(layers.Embedding(40, 4))(tokens)
    return keras.Model(tokens, layers.Dense(1, name="score")(layers.Flatten()(x)))


def test_sequential():
    model = keras.Sequential([keras.Input((3,), name="x"), layers.Dense(2, name="y")])
    assert inputs_of(model) == [("x", (None, 3), "float32", None)]
    assert outputs_of(model) == [("y", (None, 2))]


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_limit_of_token_ids_is_found_whatever_their_dtype(dtype):
    assert inputs_of(embedding_model(dtype)) == [("tokens", (None, 6), dtype, 40)]


def test_limit_is_found_inside_a_nested_model():
    def wrap(layer):
        return keras.Sequential([keras.Input((6,)), layer])

    assert inputs_of(embedding_model("float32", wrap))[0][3] == 40


def test_dict_structure_keeps_its_keys_and_its_values():
    a, b = keras.Input((2,), name="zebra"), keras.Input((3,), name="ant")
    both = layers.Concatenate()([a, b])
    model = keras.Model(
        {"zebra": a, "ant": b}, {"sum": layers.Dense(1)(both), "copy": layers.Identity()(b)}
    )
    seen = view(model)
    assert [t.name for t in seen.signature.inputs] == ["ant", "zebra"]
    assert [t.name for t in seen.signature.outputs] == ["copy", "sum"]
    ant, zebra = np.full((2, 3), 7.0, "float32"), np.zeros((2, 2), "float32")
    copied, _ = seen([keras.ops.convert_to_tensor(value) for value in (ant, zebra)])
    assert np.array_equal(keras.ops.convert_to_numpy(copied), ant)


def test_names_that_are_no_identifiers_become_some():
    a, b = keras.Input((2,), name="a-b"), keras.Input((2,), name="a b")
    model = keras.Model([a, b], layers.Add(name="1st")([a, b]))
    assert [t.name for t in view(model).signature.inputs] == ["a_b", "a_b_1"]
    assert outputs_of(model)[0][0] == "output_1st"


class TwoArguments(keras.Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.dense = layers.Dense(2)

    def build(self, left_shape, right_shape):
        self.dense.build(left_shape)

    def call(self, left, right):
        return {"total": self.dense(left) + right}


def test_subclassed_model_of_two_arguments():
    model = TwoArguments()
    model(np.zeros((4, 3), "float32"), np.zeros((4, 2), "float32"))
    assert [(name, shape) for name, shape, *_ in inputs_of(model)] == [
        ("left", (None, 3)),
        ("right", (None, 2)),
    ]
    assert outputs_of(model) == [("total", (None, 2))]
    zeros = [keras.ops.zeros((4, 3)), keras.ops.ones((4, 2))]
    (total,) = view(model)(zeros)
    assert np.array_equal(keras.ops.convert_to_numpy(total), np.ones((4, 2)))


def test_argument_that_keras_does_not_record_is_named():
    class Unrecorded(TwoArguments):
        build = keras.Model.build

    model = Unrecorded(name="pair")
    model(np.zeros((4, 3), "float32"), np.zeros((4, 2), "float32"))
    with pytest.raises(ExportError, match=r"'pair' cannot be called .*build\(self, a_shape, b_sh"):
        view(model)


def test_model_that_was_never_called_is_refused():
    with pytest.raises(ExportError, match=r"was never built, .*call it once on a batch"):
        view(TwoArguments(name="fresh"))


def recurrent(layer, length=6):
    return keras.Sequential([keras.Input((length, 3)), layer, layers.Dense(1)])


@pytest.mark.parametrize("use_bias", [True, False])
def test_long_sums_are_split_and_keep_the_numbers(use_bias):
    many = 2 * LONGEST_SUM + 3
    hidden = layers.Dense(4, activation="tanh", use_bias=use_bias)
    inner = keras.Sequential([keras.Input((3, many)), hidden], name="inner")
    inputs = keras.Input((3, many), name="x")
    short = layers.Dense(2, name="y")
    model = keras.Model(inputs, short(inner(inputs)))
    x = np.random.default_rng(0).normal(size=(5, 3, many)).astype("float32")
    before = keras.ops.convert_to_numpy(model(x))
    split_long_sums(model)
    assert "call" in vars(hidden)
    assert "call" not in vars(short)
    after = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(after, before, rtol=0, atol=2e-6)


def test_a_layer_of_ones_own_keeps_its_call():
    class Mine(layers.Dense):
        pass

    model = keras.Sequential([keras.Input((2 * LONGEST_SUM,)), Mine(1)])
    split_long_sums(model)
    assert "call" not in vars(model.layers[0])


def test_unrolling_reaches_layers_inside_others_and_keeps_the_numbers():
    inner = keras.Sequential([keras.Input((6, 3)), layers.GRU(4, return_sequences=True)])
    inputs = keras.Input((6, 3))
    model = keras.Model(inputs, layers.Bidirectional(layers.LSTM(3))(inner(inputs)))
    x = np.random.default_rng(0).standard_normal((2, 6, 3)).astype("float32")
    before = keras.ops.convert_to_numpy(model(x))
    unroll(model)
    after = keras.ops.convert_to_numpy(model(x))
    # The same sums in the same order, compiled apart: one unit in the last place of values below 1.
    np.testing.assert_allclose(after, before, rtol=0, atol=2**-23)
    assert inner.layers[0].unroll
    assert model.layers[-1].forward_layer.unroll
    assert model.layers[-1].backward_layer.unroll


@pytest.mark.parametrize(
    ("model", "targets", "limit"),
    [
        (lambda: recurrent(layers.GRU(2), None), {"openvino", "litert", "torch"}, "FREE_LENGTH"),
        (
            lambda: recurrent(layers.Bidirectional(layers.LSTM(2)), None),
            {"openvino", "litert", "torch"},
            "FREE_LENGTH",
        ),
        (
            lambda: keras.Sequential(
                [keras.Input(batch_shape=(2, 6, 3)), layers.LSTM(2, stateful=True)]
            ),
            set(ROUTES),
            "STATEFUL",
        ),
        (lambda: recurrent(layers.GRU(2)), set(), ""),
    ],
)
def test_what_a_target_cannot_hold_is_refused_with_the_reason(model, targets, limit):
    seen = view(model())
    refused = {}
    for name, route in ROUTES.items():
        try:
            check_limits(seen, route.limits)
        except RefusedError as error:
            refused[name] = str(error)
    # By the first way; LiteRT and OpenVINO have another one that keeps loops.
    assert set(refused) == targets
    assert set(refused.values()) <= {Limit[limit]} if limit else not refused


class OptionalArgument(keras.Model):
    """Called with one argument, it never reaches its second layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(2), layers.Dense(2)

    def build(self, x_shape):
        self.first.build(x_shape)

    def call(self, x, extra=None):
        found = self.first(x)
        return found if extra is None else found + self.second(extra)


def test_an_argument_that_is_not_recorded_must_not_be_left_out_in_silence():
    model = OptionalArgument()
    model(np.ones((2, 3), "float32"))
    with pytest.raises(ExportError, match="takes x, extra, of which Keras has recorded 1"):
        view(model)
