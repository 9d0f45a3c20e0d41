"""Layers that PyTorch has none for: their inference meaning, or a refusal that says what to do."""

import re

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch_module_checks import call, close, keras_call, random

from portable_models.export.errors import RefusedError
from portable_models.export.torch_module import to_torch_module
from portable_models.export.torch_module.source import generate


def test_regularization_loss_of_a_model_with_integer_inputs_only():
    tokens = keras.Input((4,), dtype="int32")
    net = to_torch_module(keras.Model(tokens, layers.Embedding(9, 3)(tokens)))
    assert float(net.regularization_loss()) == 0.0


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.RandomFlip(),
        lambda: layers.RandomRotation(0.1),
        lambda: layers.RandomContrast(0.2),
        lambda: layers.ActivityRegularization(0.1),
    ],
)
def test_layers_of_training_do_nothing_in_inference(layer):
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, layers.Conv2D(2, 3)(layer()(image)))
    x = random((2, 4, 4, 3))
    close(call(to_torch_module(model), x)[0], keras_call(model, x)[0])


def test_spectral_normalization_is_the_layer_with_its_last_kernel():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.SpectralNormalization(layers.Dense(3))(inputs))
    x = random((5, 4))
    model(x, training=True)
    close(call(to_torch_module(model), x)[0], keras_call(model, x)[0])


def test_factors_of_lora_are_merged_into_the_kernel():
    inputs = keras.Input((4,))
    dense = layers.Dense(3)
    model = keras.Model(inputs, dense(inputs))
    dense.enable_lora(2)
    rng = np.random.default_rng(0)
    for variable in (dense.lora_kernel_a, dense.lora_kernel_b):
        variable.assign(rng.standard_normal(variable.shape))
    x = random((5, 4))
    close(call(to_torch_module(model), x)[0], keras_call(model, x)[0])


def lookup():
    words = keras.Input((1,), dtype="int32")
    encoded = layers.IntegerLookup(vocabulary=[3, 4])(words)
    return keras.Model(words, layers.Embedding(4, 2)(encoded))


def quantized():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.layers[0].quantize("int8")
    return model


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lookup, r"layer '.*' of class IntegerLookup: .* cut it off, export the rest"),
        (quantized, r"layer '.*' of class Dense: it is quantized \(int8\): .* or take --to torch"),
    ],
)
def test_what_is_refused_is_named_with_what_to_do(build, message):
    with pytest.raises(RefusedError) as caught:
        generate(build())
    assert re.search(message, str(caught.value)), str(caught.value)


def test_nothing_of_it_needs_gradients_that_keras_has_not():
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, layers.Conv2D(2, 3)(layers.RandomFlip()(image)))
    net = to_torch_module(model)
    net(torch.zeros(1, 4, 4, 3)).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
