"""Small models, one for each kind of thing that the exporter carries."""

import keras
import numpy as np
from keras import layers, ops

from portable_models.export.torch_module.call_inputs import look_at


@keras.saving.register_keras_serializable("torch_module_zoo")
class Scale(keras.layers.Layer):
    """A custom layer with weights of its own, computed with outside an operation's arguments."""

    def build(self, shape):
        self.logits = self.add_weight(
            shape=(shape[-1],), initializer="random_normal", name="logits"
        )
        self.shift = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="shift")

    def call(self, x):
        gate = ops.softmax(self.logits)
        return self.shift + ops.where(x > 0, x, 0.1 * x) * gate * ops.shape(x)[-1]


@keras.saving.register_keras_serializable("torch_module_zoo")
class Block(keras.layers.Layer):
    """A transformer block: a custom layer made of layers, with Dropout."""

    def __init__(self, width=8, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.width, self.rate = width, rate
        self.attention = layers.MultiHeadAttention(2, 4, dropout=rate)
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.wide = layers.Dense(2 * width, activation="gelu")
        self.narrow = layers.Dense(width)
        self.dropout = layers.Dropout(rate)

    def build(self, shape):
        self.attention.build(shape, shape)
        for norm in self.norms:
            norm.build(shape)
        self.wide.build(shape)
        self.narrow.build((*shape[:-1], 2 * self.width))

    def call(self, x, training=None):
        y = self.norms[0](x + self.attention(x, x, training=training))
        return self.norms[1](y + self.dropout(self.narrow(self.wide(y)), training=training))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "rate": self.rate}


@keras.saving.register_keras_serializable("torch_module_zoo")
def squash(x):
    return x / (1.0 + ops.abs(x))


def mlp():
    return keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def cnn():
    return keras.Sequential(
        [
            keras.Input((9, 8, 3)),
            layers.Conv2D(4, 3, padding="same", strides=2, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(6, (2, 3), padding="same", activation="elu", groups=2),
            layers.BatchNormalization(momentum=0.9, scale=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


def lstm():
    return keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(20, 6),
            layers.LSTM(5, return_sequences=True, dropout=0.1),
            layers.LSTM(4),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def gru():
    return keras.Sequential(
        [
            keras.Input((7, 3)),
            layers.GRU(5, return_sequences=True),
            layers.GRU(4, reset_after=False, go_backwards=True),
            layers.Dense(2),
        ]
    )


def bidirectional():
    return keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(20, 6, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.Bidirectional(layers.GRU(3), merge_mode="sum"),
            layers.Dense(2),
        ]
    )


def attention():
    x = keras.Input((6, 8))
    y = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    y = layers.LayerNormalization()(x + y)
    y = Block()(y)
    y = layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, layers.Dense(2)(y))


def several():
    left, right = keras.Input((4,), name="left"), keras.Input((6,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    tower = keras.Sequential([keras.Input((5,)), layers.Dense(5), layers.LeakyReLU()], name="tower")
    a = shared(layers.Dense(6, name="lift")(left))
    b = shared(right)
    both = layers.Concatenate()([tower(a), tower(b), a * b])
    return keras.Model(
        {"left": left, "right": right},
        {
            "value": layers.Dense(1, name="value")(both),
            "kind": layers.Dense(3, activation="softmax", name="kind")(both),
        },
    )


def custom():
    x = keras.Input((5,))
    y = layers.Dense(6, activation=squash)(x)
    y = Scale()(y)
    y = ops.concatenate([ops.sin(y), y[:, :2] ** 2], axis=-1)
    return keras.Model(x, layers.Dense(1)(ops.expand_dims(ops.mean(y, axis=-1), -1)))


MODELS = {f.__name__: f for f in (mlp, cnn, lstm, gru, bidirectional, attention, several, custom)}


def build(name):
    """The model with every weight random, statistics too."""
    keras.utils.set_random_seed(7)
    model = MODELS[name]()
    randomise(model)
    return model


def randomise(model):
    generator = np.random.default_rng(5)
    for variable in model.weights:
        value = np.asarray(keras.ops.convert_to_numpy(variable))
        if value.dtype.kind == "f":
            low, high = (0.5, 1.5) if "variance" in variable.path else (-0.6, 0.6)
            variable.assign(generator.uniform(low, high, value.shape).astype(value.dtype))


def inputs_of(model, batch, seed=0):
    """Random inputs in the structure of the model's own."""
    generator = np.random.default_rng(seed)
    seen = look_at(model)

    def one(tensor):
        shape = (batch, *tensor.shape[1:])
        if tensor.dtype == "int32":
            return generator.integers(0, tensor.limit, shape).astype("int32")
        return generator.normal(size=shape).astype("float32")

    return seen.pack([one(tensor) for tensor in seen.signature.inputs])
