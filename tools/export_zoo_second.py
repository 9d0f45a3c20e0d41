"""The second zoo: models as people have them. ``python export_zoo_second.py FOLDER NAME ...``.

Run as a script it writes models under the backend of ``KERAS_BACKEND``, each as ``FOLDER/NAME.keras``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import export_zoo_layers as own
import keras
import numpy as np
from keras import layers

from portable_models.export import loading

SEED = 5


def _application(name: str, size: int = 64) -> Callable[[], Any]:
    def build() -> Any:
        make = getattr(keras.applications, name)
        return make(weights=None, input_shape=(size, size, 3), classes=7)

    return build


def _convolutions(image: Any, *widths: int) -> Any:
    for width in widths:
        image = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(image))
        image = layers.ReLU()(image)
    return image


def _u_net(size: int | None, levels: int = 2) -> Any:
    image = keras.Input((size, size, 1), name="image")
    kept, x = [], image
    for level in range(levels):
        x = _convolutions(x, 4 * 2**level)
        kept.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = _convolutions(x, 8)
    for skip in reversed(kept):
        x = _convolutions(layers.Concatenate()([layers.UpSampling2D(2)(x), skip]), 4)
    return keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x))


def _fully_convolutional() -> Any:
    image = keras.Input((None, None, 3), name="image")
    x = layers.GlobalAveragePooling2D()(_convolutions(image, 4, 8))
    return keras.Model(image, layers.Dense(3, name="scores")(x))


def _gpt() -> Any:
    tokens = keras.Input((8,), dtype="int32", name="tokens")
    x = own.Positions()(layers.Embedding(50, 8)(tokens))
    for _ in range(2):
        x = own.CausalAttention(2, 8)(x)
    return keras.Model(tokens, layers.Dense(50, name="logits")(layers.LayerNormalization()(x)))


def _bert() -> Any:
    tokens = keras.Input((None,), dtype="int32", name="token_ids")
    segments = keras.Input((None,), dtype="int32", name="segment_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    x = layers.Add()([layers.Embedding(60, 8)(tokens), layers.Embedding(2, 8)(segments)])
    wide = layers.Reshape((1, -1))(mask)
    y = layers.MultiHeadAttention(2, 4)(x, x, attention_mask=wide)
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    return keras.Model([tokens, segments, mask], layers.Dense(3, name="labels")(x))


def _tabular() -> Any:
    normal = layers.Normalization(name="normal")
    normal.adapt(np.random.default_rng(0).normal(70, 30, (200, 3)).astype("float32"))
    numbers = keras.Input((3,), name="numbers")
    kind = keras.Input((1,), dtype="int32", name="kind")
    codes = layers.CategoryEncoding(6, output_mode="one_hot")(kind)
    x = layers.Dense(8, "relu")(layers.Concatenate()([normal(numbers), codes]))
    return keras.Model({"numbers": numbers, "kind": kind}, layers.Dense(1, name="price")(x))


def _words() -> Any:
    colour = keras.Input((1,), dtype="string", name="colour")
    ids = layers.StringLookup(vocabulary=["red", "green", "blue"])(colour)
    x = layers.Flatten()(layers.Embedding(4, 3)(ids))
    return keras.Model(colour, layers.Dense(1, name="price")(x))


def _masked(*stack: Any) -> Callable[[], Any]:
    def build() -> Any:
        tokens = keras.Input((9,), dtype="int32", name="tokens")
        x = layers.Embedding(30, 6, mask_zero=True)(tokens)
        for make in stack:
            x = make()(x)
        return keras.Model(tokens, layers.Dense(2, name="scores")(x))

    return build


def _sequence(*stack: Any, steps: int | None = 10) -> Callable[[], Any]:
    def build() -> Any:
        x = inputs = keras.Input((steps, 4), name="series")
        for make in stack:
            x = make()(x)
        return keras.Model(inputs, layers.Dense(1, name="next")(x))

    return build


def _video() -> Any:
    video = keras.Input((4, 8, 8, 1), name="video")
    x = layers.GlobalAveragePooling2D()(layers.ConvLSTM2D(3, 3, padding="same")(video))
    return keras.Model(video, layers.Dense(2, name="scores")(x))


def _siamese() -> Any:
    image = keras.Input((8, 8, 1))
    tower = keras.Model(image, layers.Dense(4)(layers.Flatten()(_convolutions(image, 3))))
    one, other = keras.Input((8, 8, 1), name="one"), keras.Input((8, 8, 1), name="other")
    near = layers.Dot(axes=-1, normalize=True, name="likeness")([tower(one), tower(other)])
    return keras.Model([one, other], near)


def _autoencoder(draws: bool) -> Any:
    x = keras.Input((6,), name="x")
    mean, spread = layers.Dense(2, name="mean")(x), layers.Dense(2, name="spread")(x)
    code = own.Sampling()([mean, spread]) if draws else mean
    return keras.Model(x, layers.Dense(6, name="again")(code))


def _vision_transformer() -> Any:
    image = keras.Input((8, 8, 3), name="image")
    x = own.Positions()(layers.Dense(8)(own.Patches(4)(image)))
    x = layers.GlobalAveragePooling1D()(own.CausalAttention(2, 8)(x))
    return keras.Model(image, layers.Dense(3, name="scores")(x))


def _detector() -> Any:
    image = keras.Input((16, 16, 3), dtype="uint8", name="image")
    x = _convolutions(layers.Rescaling(1 / 255)(image), 4, 8)
    boxes = layers.Reshape((-1, 4), name="boxes")(layers.Conv2D(4, 1)(x))
    classes = layers.Activation("softmax", name="classes")(
        layers.Reshape((-1, 3))(layers.Conv2D(3, 1)(x))
    )
    return keras.Model(image, {"boxes": boxes, "classes": classes})


def _small_cnn(**first: Any) -> Any:
    image = keras.Input((8, 8, 3), name="image")
    x = layers.GlobalAveragePooling2D()(_convolutions(image, 4))
    return keras.Model(image, layers.Dense(3, name="scores", **first)(x))


def _mixed(policy: str) -> Callable[[], Any]:
    def build() -> Any:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            image = keras.Input((8, 8, 3), name="image")
            x = layers.GlobalAveragePooling2D()(_convolutions(image, 4))
            return keras.Model(image, layers.Dense(3, dtype="float32", name="scores")(x))
        finally:
            keras.config.set_dtype_policy(before)

    return build


def _dense(change: Callable[[Any], None]) -> Callable[[], Any]:
    def build() -> Any:
        x = keras.Input((8,), name="x")
        model = keras.Model(x, layers.Dense(3, name="y")(layers.Dense(16, "relu")(x)))
        change(model)
        return model

    return build


def _with_lora(model: Any) -> None:
    model.layers[1].enable_lora(2)


def _augmented() -> Any:
    image = keras.Input((12, 12, 3), name="image")
    x = layers.RandomRotation(0.1)(layers.RandomFlip()(image))
    x = layers.GlobalAveragePooling2D()(_convolutions(layers.Resizing(8, 8)(x), 4))
    return keras.Model(image, layers.Dense(2, name="scores")(x))


def _called(model: Any, inputs: Any) -> Any:
    if isinstance(inputs, tuple):
        model(*inputs)
    else:
        model(inputs)
    return model


def _two_towers() -> Any:
    return _called(own.TwoTowers(), (np.zeros((2, 5), "int32"), np.zeros((2, 3), "float32")))


def _dicts() -> Any:
    zeros = np.zeros((2, 3), "float32")
    return _called(own.DictModel(), {"left": zeros, "right": zeros})


BUILDERS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "mobilenet": _application("MobileNetV3Small"),
        "efficientnet": _application("EfficientNetB0"),
        "resnet": _application("ResNet50V2"),
        "densenet": _application("DenseNet121"),
        "convnext": _application("ConvNeXtTiny"),
        "u_net": lambda: _u_net(16),
        "u_net_free": lambda: _u_net(None),
        "u_net_free_deep": lambda: _u_net(None, 3),
        "fcn_free": _fully_convolutional,
        "gpt": _gpt,
        "bert": _bert,
        "tabular": _tabular,
        "words": _words,
        "masked_lstm": _masked(lambda: layers.LSTM(5)),
        "masked_gru": _masked(lambda: layers.GRU(5)),
        "masked_rnn": _masked(lambda: layers.SimpleRNN(5)),
        "masked_bidirectional": _masked(lambda: layers.Bidirectional(layers.LSTM(4))),
        "masked_stack": _masked(
            lambda: layers.Bidirectional(layers.GRU(4, return_sequences=True)),
            lambda: layers.LSTM(4),
        ),
        "masked_steps": _sequence(lambda: layers.Masking(0.0), lambda: layers.LSTM(4)),
        "masked_pooling": _masked(lambda: layers.GlobalAveragePooling1D()),
        "free_lstm": _sequence(lambda: layers.LSTM(4), steps=None),
        "free_convolution": _sequence(
            lambda: layers.Conv1D(4, 3), lambda: layers.GlobalMaxPooling1D(), steps=None
        ),
        "dilated": _sequence(
            lambda: layers.Conv1D(4, 2, padding="causal", dilation_rate=2),
            lambda: layers.GlobalMaxPooling1D(),
        ),
        "conv_gru": _sequence(lambda: layers.Conv1D(4, 3), lambda: layers.GRU(4)),
        "time_distributed": _sequence(
            lambda: layers.TimeDistributed(layers.Dense(3, "tanh")), lambda: layers.Flatten()
        ),
        "conv_lstm": _video,
        "siamese": _siamese,
        "vae": lambda: _autoencoder(draws=True),
        "autoencoder": lambda: _autoencoder(draws=False),
        "vit": _vision_transformer,
        "detector": _detector,
        "small_cnn": _small_cnn,
        "float16": _mixed("mixed_float16"),
        "bfloat16": _mixed("mixed_bfloat16"),
        "int8": _dense(lambda model: model.quantize("int8")),
        "lora": _dense(_with_lora),
        "augmented": _augmented,
        "keywords": _two_towers,
        "dicts": _dicts,
        "maxnorm": lambda: _small_cnn(kernel_constraint="max_norm", kernel_regularizer="l2"),
    }
)


def made(name: str) -> Any:
    """A model with random weights and statistics, so that nothing is as a new layer has it.

    Args:
        name: a key of :data:`BUILDERS`.
    """
    keras.utils.set_random_seed(SEED)
    model = BUILDERS[name]()
    rng = np.random.default_rng(SEED)
    for variable in model.weights:
        if "float" not in str(variable.dtype) or "normal/" in variable.path:
            continue
        value = keras.ops.convert_to_numpy(variable)
        if variable.path.endswith("moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
        elif name != "int8":
            variable.assign(value + 0.05 * rng.standard_normal(value.shape))
    return model


def main(folder: str, *names: str) -> None:
    """Write each model as ``folder/NAME.keras``."""
    for name in names:
        loading.save(made(name), Path(folder) / f"{name}.keras")
        print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
