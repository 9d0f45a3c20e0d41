"""Patches, stochastic depth, squeeze and excitation, and contrastive learning."""

import math

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class Patches(layers.Layer):
    def __init__(self, patch_size, **kwargs):
        super().__init__(**kwargs)
        self.patch_size = patch_size

    def call(self, images):
        shape = ops.shape(images)
        batch, height, width, channels = shape[0], shape[1], shape[2], shape[3]
        down, across = height // self.patch_size, width // self.patch_size
        patches = keras.ops.image.extract_patches(images, size=self.patch_size)
        return ops.reshape(
            patches, (batch, down * across, self.patch_size * self.patch_size * channels)
        )

    def get_config(self):
        config = super().get_config()
        config.update({"patch_size": self.patch_size})
        return config


@keras.saving.register_keras_serializable(package="sound")
class StochasticDepth(layers.Layer):
    def __init__(self, drop_prob, seed=1337, **kwargs):
        super().__init__(**kwargs)
        self.drop_prob = drop_prob
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        if not training:
            return x
        keep = 1 - self.drop_prob
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        noise = keep + keras.random.uniform(shape, 0, 1, seed=self.seed_generator)
        return (x / keep) * ops.floor(noise)

    def get_config(self):
        return {**super().get_config(), "drop_prob": self.drop_prob, "seed": self.seed}


class SqueezeExcite(layers.Layer):
    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        self.reduce = layers.Dense(max(1, channels // self.ratio), activation="relu")
        self.expand = layers.Dense(channels, activation="sigmoid")
        self.scale = 1.0 / math.sqrt(channels)
        self.table = np.ones((channels,), "float32") * self.scale

    def call(self, inputs):
        pooled = ops.mean(inputs, axis=(1, 2))
        weights = self.expand(self.reduce(pooled * ops.convert_to_tensor(self.table)))
        weights = weights[:, None, None, :]
        return inputs * weights


class Contrastive(keras.Model):
    def __init__(self, encoder, temperature=0.1, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.temperature = temperature
        self.accuracy = keras.metrics.SparseCategoricalAccuracy()

    def call(self, inputs, training=None):
        first, second = inputs
        return self.encoder(first), self.encoder(second)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        first, second = y_pred
        first, second = ops.normalize(first, axis=-1), ops.normalize(second, axis=-1)
        similarities = ops.matmul(first, ops.transpose(second)) / self.temperature
        labels = ops.arange(ops.shape(similarities)[0])
        return ops.mean(
            keras.losses.sparse_categorical_crossentropy(labels, similarities, from_logits=True)
        )


def build_model():
    inputs = keras.Input((16, 16, 3))
    augmented = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(
        inputs
    )
    x = layers.Conv2D(4, 3, strides=2, padding="same")(augmented)
    x = layers.BatchNormalization()(x)
    x = SqueezeExcite()(x)
    x = StochasticDepth(0.1)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.AveragePooling2D(2)(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
