"""A transformer block with a padding mask and positions."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class TokenAndPosition(layers.Layer):
    def __init__(self, length, vocabulary, dim, **kwargs):
        super().__init__(**kwargs)
        self.length, self.vocabulary, self.dim = length, vocabulary, dim
        self.tokens = layers.Embedding(vocabulary, dim)
        self.positions = layers.Embedding(length, dim)

    def build(self, input_shape):
        self.tokens.build(input_shape)
        self.positions.build((input_shape[-1],))

    def call(self, inputs):
        positions = ops.arange(0, ops.shape(inputs)[-1])
        return self.tokens(inputs) + self.positions(positions)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def get_config(self):
        config = super().get_config()
        config.update({"length": self.length, "vocabulary": self.vocabulary, "dim": self.dim})
        return config


@keras.saving.register_keras_serializable(package="sound")
class Block(layers.Layer):
    def __init__(self, dim, heads, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.dim, self.heads, self.rate = dim, heads, rate
        self.attention = layers.MultiHeadAttention(num_heads=heads, key_dim=dim)
        self.inner = keras.Sequential([layers.Dense(dim, activation="relu"), layers.Dense(dim)])
        self.first, self.second = layers.LayerNormalization(), layers.LayerNormalization()
        self.drop = layers.Dropout(rate)

    def causal_mask(self, batch, length):
        i = ops.arange(length)[:, None]
        j = ops.arange(length)
        mask = ops.cast(i >= j, "int32")
        mask = ops.reshape(mask, (1, length, length))
        return ops.tile(mask, (batch, 1, 1))

    def call(self, inputs, training=False, mask=None):
        shape = ops.shape(inputs)
        allowed = self.causal_mask(shape[0], shape[1])
        if mask is not None:
            allowed = allowed * ops.cast(mask[:, None, :], "int32")
        x = self.attention(inputs, inputs, attention_mask=allowed)
        x = self.first(inputs + self.drop(x, training=training))
        y = self.inner(x)
        return self.second(x + self.drop(y, training=training))

    def get_config(self):
        return {**super().get_config(), "dim": self.dim, "heads": self.heads, "rate": self.rate}


def build_model():
    inputs = keras.Input((8,), dtype="int32")
    x = TokenAndPosition(8, 50, 16)(inputs)
    x = Block(16, 2)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(2)(x))
