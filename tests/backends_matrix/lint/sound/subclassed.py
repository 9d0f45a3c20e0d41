"""The guide on layers and models by subclassing: weights in build, layers in layers, add_loss."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


@keras.saving.register_keras_serializable(package="sound")
class ComputeSum(layers.Layer):
    def __init__(self, input_size, **kwargs):
        super().__init__(**kwargs)
        self.input_size = input_size
        self.total = self.add_weight(
            initializer="zeros", shape=(input_size,), dtype="float32", trainable=False
        )

    def call(self, inputs):
        self.total.assign_add(ops.sum(inputs, axis=0))
        return self.total

    def get_config(self):
        return {**super().get_config(), "input_size": self.input_size}


@keras.saving.register_keras_serializable(package="sound")
class ActivityPenalty(layers.Layer):
    def __init__(self, rate=1e-2, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * ops.mean(inputs))
        return inputs

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class MLP(keras.Model):
    def __init__(self, depth=3, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [Linear(8) for _ in range(depth)]
        self.norms = {}
        for index in range(depth):
            self.norms[f"norm_{index}"] = layers.BatchNormalization()
        self.penalty = ActivityPenalty()
        self.head = Linear(1)

    def call(self, inputs, training=None):
        x = inputs
        for index, block in enumerate(self.blocks):
            x = ops.relu(block(x))
            x = self.norms[f"norm_{index}"](x, training=training)
        x = self.penalty(x)
        if training:
            x = x * 1.0
        return self.head(x)


def build_model():
    return MLP()
