"""Every layer that the exporter translates computes what Keras computes, in inference and in training."""

import keras
import numpy as np
import pytest
import torch
import torch_module_zoo as zoo
from keras import layers
from torch_module_checks import call, close, keras_call, keras_training_call, random

from portable_models.export.torch_module import to_torch_module

VECTOR, SEQUENCE, IMAGE, VOLUME = (6,), (5, 4), (7, 6, 4), (4, 5, 6, 2)

ACTIVATIONS = (
    *("relu", "leaky_relu", "relu6", "softmax", "celu", "elu", "selu", "softplus", "softsign"),
    *("squareplus", "soft_shrink", "sparse_plus", "silu", "gelu", "glu", "tanh", "tanh_shrink"),
    *("sigmoid", "sparse_sigmoid", "exponential", "hard_sigmoid", "hard_silu", "hard_tanh"),
    *("hard_shrink", "linear", "mish", "log_softmax", "log_sigmoid", "sparsemax"),
)

ONE_INPUT = {
    **{f"dense-{name}": (VECTOR, lambda name=name: layers.Dense(4, name)) for name in ACTIVATIONS},
    "dense-no-bias": (SEQUENCE, lambda: layers.Dense(3, use_bias=False)),
    "einsum-dense": (SEQUENCE, lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")),
    "activation": (VECTOR, lambda: layers.Activation("tanh")),
    "relu": (VECTOR, lambda: layers.ReLU(max_value=0.9, negative_slope=0.1, threshold=0.2)),
    "relu-slope": (VECTOR, lambda: layers.ReLU(negative_slope=0.1)),
    "leaky-relu": (VECTOR, lambda: layers.LeakyReLU(0.2)),
    "elu": (VECTOR, lambda: layers.ELU(0.7)),
    "prelu": (IMAGE, lambda: layers.PReLU(shared_axes=[1, 2])),
    "softmax": (SEQUENCE, lambda: layers.Softmax(axis=1)),
    "softmax-axes": (SEQUENCE, lambda: layers.Softmax(axis=(1, 2))),
    "identity": (VECTOR, layers.Identity),
    "dropout-0": (VECTOR, lambda: layers.Dropout(0.0)),
    "batch-norm": (IMAGE, layers.BatchNormalization),
    "batch-norm-axis": (
        IMAGE,
        lambda: layers.BatchNormalization(axis=1, momentum=0.7, scale=False),
    ),
    "layer-norm": (IMAGE, layers.LayerNormalization),
    "layer-norm-axes": (IMAGE, lambda: layers.LayerNormalization(axis=[2, 3], center=False)),
    "rms-norm": (SEQUENCE, layers.RMSNormalization),
    "group-norm": (IMAGE, lambda: layers.GroupNormalization(2)),
    "group-norm-first": (IMAGE, lambda: layers.GroupNormalization(7, axis=1)),
    "unit-norm": (SEQUENCE, lambda: layers.UnitNormalization(axis=1)),
    "conv1d": (SEQUENCE, lambda: layers.Conv1D(3, 2, padding="causal", dilation_rate=2)),
    "conv1d-same": (SEQUENCE, lambda: layers.Conv1D(3, 4, padding="same", strides=2)),
    "conv2d": (IMAGE, lambda: layers.Conv2D(6, (3, 2), strides=(2, 1), activation="relu")),
    "conv2d-same": (IMAGE, lambda: layers.Conv2D(4, (4, 2), strides=2, padding="same", groups=2)),
    "conv2d-dilated": (IMAGE, lambda: layers.Conv2D(4, 2, padding="same", dilation_rate=(2, 3))),
    "conv3d": (VOLUME, lambda: layers.Conv3D(3, (2, 3, 2), padding="same", strides=(1, 2, 2))),
    "depthwise1d": (SEQUENCE, lambda: layers.DepthwiseConv1D(3, padding="same")),
    "depthwise2d": (IMAGE, lambda: layers.DepthwiseConv2D(2, strides=2, depth_multiplier=3)),
    "separable1d": (SEQUENCE, lambda: layers.SeparableConv1D(3, 2, padding="same")),
    "separable2d": (IMAGE, lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2)),
    "conv1d-transpose": (SEQUENCE, lambda: layers.Conv1DTranspose(3, 3, strides=2)),
    "conv2d-transpose": (
        IMAGE,
        lambda: layers.Conv2DTranspose(3, (3, 4), strides=(2, 3), padding="same"),
    ),
    "conv2d-transpose-short": (IMAGE, lambda: layers.Conv2DTranspose(3, 2, strides=3)),
    "conv2d-transpose-dilated": (
        IMAGE,
        lambda: layers.Conv2DTranspose(3, 2, padding="same", dilation_rate=2),
    ),
    "conv3d-transpose": (VOLUME, lambda: layers.Conv3DTranspose(2, 2, strides=2, padding="same")),
    "max1d": (SEQUENCE, lambda: layers.MaxPooling1D(2)),
    "max2d": (IMAGE, lambda: layers.MaxPooling2D((2, 3), strides=2)),
    "max2d-same": (IMAGE, lambda: layers.MaxPooling2D(3, strides=2, padding="same")),
    "max3d": (VOLUME, lambda: layers.MaxPooling3D(2)),
    "average1d": (SEQUENCE, lambda: layers.AveragePooling1D(2, strides=1)),
    "average2d": (IMAGE, lambda: layers.AveragePooling2D(2)),
    "average3d": (VOLUME, lambda: layers.AveragePooling3D(2)),
    "global-average1d": (SEQUENCE, layers.GlobalAveragePooling1D),
    "global-average2d": (IMAGE, lambda: layers.GlobalAveragePooling2D(keepdims=True)),
    "global-max3d": (VOLUME, layers.GlobalMaxPooling3D),
    "adaptive-average": (IMAGE, lambda: layers.AdaptiveAveragePooling2D((3, 2))),
    "adaptive-max": (SEQUENCE, lambda: layers.AdaptiveMaxPooling1D(2)),
    "flatten": (IMAGE, layers.Flatten),
    "reshape": (IMAGE, lambda: layers.Reshape((-1, 4))),
    "permute": (IMAGE, lambda: layers.Permute((3, 1, 2))),
    "repeat-vector": (VECTOR, lambda: layers.RepeatVector(3)),
    "up1d": (SEQUENCE, lambda: layers.UpSampling1D(3)),
    "up2d": (IMAGE, lambda: layers.UpSampling2D((2, 3))),
    "up2d-bilinear": (IMAGE, lambda: layers.UpSampling2D(2, interpolation="bilinear")),
    "up3d": (VOLUME, lambda: layers.UpSampling3D(2)),
    "pad1d": (SEQUENCE, lambda: layers.ZeroPadding1D((1, 2))),
    "pad2d": (IMAGE, lambda: layers.ZeroPadding2D(((1, 2), (0, 3)))),
    "pad3d": (VOLUME, lambda: layers.ZeroPadding3D(1)),
    "crop1d": (SEQUENCE, lambda: layers.Cropping1D((1, 2))),
    "crop2d": (IMAGE, lambda: layers.Cropping2D(((1, 2), (0, 3)))),
    "crop3d": (VOLUME, lambda: layers.Cropping3D(1)),
    "rescaling": (IMAGE, lambda: layers.Rescaling(1 / 127.5, offset=-1)),
    "rescaling-channels": (IMAGE, lambda: layers.Rescaling([1, 2, 3, 4.0], offset=[0, 1, 0, 1])),
    "normalization": (VECTOR, lambda: layers.Normalization(mean=[1.0] * 6, variance=[2.0] * 6)),
    "simple-rnn": (SEQUENCE, lambda: layers.SimpleRNN(3)),
    "lstm": (SEQUENCE, lambda: layers.LSTM(3, return_sequences=True, go_backwards=True)),
    "lstm-no-bias": (SEQUENCE, lambda: layers.LSTM(3, use_bias=False, recurrent_activation="relu")),
    "gru": (SEQUENCE, lambda: layers.GRU(3, activation="relu")),
    "gru-before": (SEQUENCE, lambda: layers.GRU(3, reset_after=False)),
    "rnn-cell": (SEQUENCE, lambda: layers.RNN(layers.LSTMCell(3))),
    "bidirectional": (SEQUENCE, lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="ave")),
    "bidirectional-sequences": (
        SEQUENCE,
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="mul"),
    ),
    "time-distributed": (IMAGE, lambda: layers.TimeDistributed(layers.Dense(3))),
    "time-distributed-norm": (IMAGE, lambda: layers.TimeDistributed(layers.BatchNormalization())),
}


@pytest.fixture(scope="module")
def predicted():
    """For each layer a model of it alone, its inputs, and what Keras gives.

    Keras computes all layers of one input shape in one compiled call: JAX compiles every operation that
    is called alone, which takes minutes for all of them.
    """
    found = {}
    for shape in (VECTOR, SEQUENCE, IMAGE, VOLUME):
        x = keras.Input(shape)
        made = {name: make()(x) for name, (wanted, make) in ONE_INPUT.items() if wanted == shape}
        together = keras.Model(x, made)
        zoo.randomise(together)
        inputs = random((5, *shape))
        outputs = together.predict_on_batch(inputs)
        for name, output in made.items():
            found[name] = keras.Model(x, output), inputs, outputs[name]
    return found


@pytest.mark.parametrize("name", ONE_INPUT)
def test_layer_computes_what_keras_computes(predicted, name):
    model, inputs, expected = predicted[name]
    net = to_torch_module(model)
    close(call(net, inputs)[0], expected)
    close(call(net, inputs[:1])[0], expected[:1])


@pytest.mark.parametrize("name", ["batch-norm", "batch-norm-axis", "time-distributed-norm"])
def test_batch_normalization_trains_as_keras_does(name):
    shape, make = ONE_INPUT[name]
    x = keras.Input(shape)
    model = keras.Model(x, make()(x))
    zoo.randomise(model)
    net = to_torch_module(model).train()
    inputs = 3 * random((8, *shape)) + 1
    expected = keras_training_call(model, inputs)
    (actual,) = call(net, inputs)
    # The statistics of the batch are sums of 8 * 42 terms: one more digit than elementwise.
    assert np.abs(actual - expected).max() <= 1e-5 * np.abs(expected).max()
    # What training mode did to the moving statistics shows in inference.
    (expected,) = keras_call(model, inputs)
    (actual,) = call(net.eval(), inputs)
    assert np.abs(actual - expected).max() <= 1e-5 * np.abs(expected).max()


def test_frozen_batch_normalization_keeps_its_statistics_in_training():
    x = keras.Input((4,))
    norm = layers.BatchNormalization()
    model = keras.Model(x, norm(x))
    zoo.randomise(model)
    norm.trainable = False
    net = to_torch_module(model).train()
    inputs = random((8, 4))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    close(call(net, inputs)[0], keras_training_call(model, inputs))
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_layer_normalization_over_leading_axes():
    # Keras's own torch backend raises here, so the formula is written out.
    x = keras.Input(IMAGE)
    model = keras.Model(x, layers.LayerNormalization(axis=[1, 2], center=False, scale=False)(x))
    inputs = random((3, *IMAGE))
    mean, variance = (f(inputs, axis=(1, 2), keepdims=True) for f in (np.mean, np.var))
    close(call(to_torch_module(model), inputs)[0], (inputs - mean) / np.sqrt(variance + 1e-3))


def same_windows(x, size, stride, reduce):
    """Pooling with "same" padding of (rows, columns), spelled out."""
    rows, columns = (-(-n // stride) for n in x.shape[1:3])
    out = np.zeros((x.shape[0], rows, columns, x.shape[3]), x.dtype)
    for i in range(rows):
        for j in range(columns):
            spans = []
            for place, n, count in ((i, x.shape[1], rows), (j, x.shape[2], columns)):
                before = max((count - 1) * stride + size - n, 0) // 2
                start = place * stride - before
                spans.append(slice(max(start, 0), min(start + size, n)))
            out[:, i, j] = reduce(x[:, spans[0], spans[1]], axis=(1, 2))
    return out


@pytest.mark.parametrize(("size", "stride"), [(2, 1), (2, 2), (3, 2), (4, 3), (5, 2)])
@pytest.mark.parametrize(
    ("layer", "reduce"), [(layers.MaxPooling2D, np.max), (layers.AveragePooling2D, np.mean)]
)
def test_pooling_with_same_padding_is_tensorflows(layer, reduce, size, stride):
    # Keras's own torch backend gives other numbers here, so the windows are written out.
    x = keras.Input(IMAGE)
    model = keras.Model(x, layer(size, strides=stride, padding="same")(x))
    inputs = random((3, *IMAGE))
    close(call(to_torch_module(model), inputs)[0], same_windows(inputs, size, stride, reduce))
