"""Every layer that the exporter translates computes what Keras computes, in inference and in training."""

import keras
import numpy as np
import pytest
import torch
import torch_module_zoo as zoo
from keras import layers, ops

from portable_models.export.torch_module import to_torch_module

# 1e-6 of the output's scale: eight roundings of float32, as everywhere in the export.
RELATIVE = 1e-6

VECTOR, SEQUENCE, IMAGE, VOLUME = (6,), (5, 4), (7, 6, 4), (4, 5, 6, 2)

ACTIVATIONS = [
    name
    for name in (
        "relu leaky_relu relu6 softmax celu elu selu softplus softsign squareplus soft_shrink "
        "sparse_plus silu gelu glu tanh tanh_shrink sigmoid sparse_sigmoid exponential hard_sigmoid "
        "hard_silu hard_tanh hard_shrink linear mish log_softmax log_sigmoid sparsemax"
    ).split()
]

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
    "batch-norm-axis": (IMAGE, lambda: layers.BatchNormalization(axis=1, momentum=0.7, scale=False)),
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


def call(net, *inputs):
    return [value.detach().numpy() for value in leaves(net(*map(torch.from_numpy, inputs)))]


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, tuple) else [value]


def keras_call(model, inputs):
    return keras.tree.flatten(model.predict_on_batch(inputs))


def keras_training_call(model, inputs):
    return ops.convert_to_numpy(model(ops.convert_to_tensor(inputs), training=True))


def close(actual, expected):
    assert actual.shape == expected.shape
    assert np.isfinite(expected).all()
    assert np.abs(actual - expected).max() <= RELATIVE * max(np.abs(expected).max(), 1e-3)


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


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
