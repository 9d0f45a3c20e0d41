"""Merging, attention, recurrent states and masks: what a layer is given beside its input."""

import keras
import numpy as np
import pytest
import torch_module_zoo as zoo
from keras import layers, ops
from torch_module_checks import call, close, keras_call, random

from portable_models.export.torch_module import to_torch_module


@pytest.mark.parametrize(
    "make",
    [
        layers.Add,
        layers.Subtract,
        layers.Multiply,
        layers.Average,
        layers.Maximum,
        layers.Minimum,
        layers.Concatenate,
        lambda: layers.Concatenate(axis=1),
        lambda: layers.Dot(axes=1),
        lambda: layers.Dot(axes=(2, 2), normalize=True),
        layers.Attention,
        lambda: layers.Attention(use_scale=True, score_mode="concat"),
        layers.AdditiveAttention,
    ],
)
def test_merging_layer_computes_what_keras_computes(make):
    a, b = keras.Input((4, 4)), keras.Input((4, 4))
    model = keras.Model([a, b], make()([a, b]))
    zoo.randomise(model)
    inputs = [random((3, 4, 4), seed) for seed in (1, 2)]
    close(call(to_torch_module(model), *inputs)[0], keras_call(model, inputs)[0])


def test_merging_broadcasts_ranks_as_keras_does():
    a, b = keras.Input((4,)), keras.Input((3, 4))
    model = keras.Model([a, b], layers.Multiply()([a, b]))
    inputs = [random((3, 4), 1), random((3, 3, 4), 2)]
    close(call(to_torch_module(model), *inputs)[0], keras_call(model, inputs)[0])


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: layers.MultiHeadAttention(2, 3), {}),
        (lambda: layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6, dropout=0.1), {}),
        (lambda: layers.MultiHeadAttention(2, 3, use_bias=False), {"use_causal_mask": True}),
        (lambda: layers.MultiHeadAttention(2, 3), {"return_attention_scores": True}),
        (lambda: layers.MultiHeadAttention(2, 3, dropout=0.2), {"use_causal_mask": True}),
        (lambda: layers.MultiHeadAttention(2, 3, use_gate=True), {}),
        (lambda: layers.GroupQueryAttention(4, 6, 2), {"use_causal_mask": True}),
    ],
)
def test_multi_head_attention_computes_what_keras_computes(make, options):
    query, value = keras.Input((5, 4)), keras.Input((5, 4))
    model = keras.Model([query, value], make()(query, value, **options))
    zoo.randomise(model)
    inputs = [random((3, 5, 4), 1), random((3, 5, 4), 2)]
    for actual, expected in zip(
        call(to_torch_module(model), *inputs), keras_call(model, inputs), strict=True
    ):
        close(actual, expected)


def test_attention_over_two_axes():
    x = keras.Input((3, 4, 5))
    model = keras.Model(x, layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x))
    zoo.randomise(model)
    inputs = random((2, 3, 4, 5))
    close(call(to_torch_module(model), inputs)[0], keras_call(model, inputs)[0])


def test_recurrent_states_go_out_and_in():
    x = keras.Input((5, 4))
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    z = layers.LSTM(3)(y, initial_state=[h, c])
    model = keras.Model(x, [z, layers.Bidirectional(layers.GRU(2, return_state=True))(y)[1]])
    zoo.randomise(model)
    inputs = random((3, 5, 4))
    for actual, expected in zip(
        call(to_torch_module(model), inputs), keras_call(model, inputs), strict=True
    ):
        close(actual, expected)


MASKED = {
    "lstm": lambda x: layers.LSTM(3)(x),
    "gru-backwards": lambda x: layers.GRU(3, go_backwards=True)(layers.LayerNormalization()(x)),
    "rnn-sequences": lambda x: layers.Dense(2)(layers.SimpleRNN(3, return_sequences=True)(x)),
    "zero-output": lambda x: layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x),
    "pooling": lambda x: layers.GlobalAveragePooling1D()(layers.Dropout(0.1)(x)),
    "two-layers": lambda x: layers.GRU(3)(layers.LSTM(4, return_sequences=True)(x)),
    "merged": lambda x: layers.LSTM(3)(layers.Add()([x, layers.Dense(4)(x)])),
    "concatenated": lambda x: layers.LSTM(3)(layers.Concatenate()([x, layers.Dense(4)(x)])),
    "attention": lambda x: layers.Attention()([x, x]),
    "softmax": lambda x: layers.GlobalAveragePooling1D()(layers.Attention()([x, x])),
    "heads": lambda x: layers.LSTM(3)(layers.MultiHeadAttention(2, 3, dropout=0.1)(x, x)),
    "lost": lambda x: layers.LSTM(3)(ops.sin(x)),
}


@pytest.mark.parametrize("name", MASKED)
def test_mask_of_padding_reaches_the_layers_that_keras_gives_it_to(name):
    ids = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    model = keras.Model(ids, MASKED[name](x))
    zoo.randomise(model)
    inputs = np.array([[3, 5, 1, 0, 0, 0], [1, 2, 3, 4, 5, 6], [7, 0, 2, 0, 4, 0]], "int32")
    close(call(to_torch_module(model), inputs)[0], keras_call(model, inputs)[0])


def test_masking_layer_hides_steps():
    x = keras.Input((5, 4))
    model = keras.Model(x, layers.LSTM(3)(layers.Masking(0.0)(x)))
    zoo.randomise(model)
    inputs = random((3, 5, 4))
    inputs[0, 3:] = inputs[1, 0] = 0.0
    close(call(to_torch_module(model), inputs)[0], keras_call(model, inputs)[0])
