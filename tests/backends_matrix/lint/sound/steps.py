"""Train and test steps, custom training loops outside of models, transfer learning, mixed precision."""

import keras
import numpy as np
from keras import layers, ops


class Doubled(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1)
        self.mae = keras.metrics.MeanAbsoluteError(name="mae")

    def call(self, inputs, training=None):
        return self.dense(inputs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        results = super().compute_metrics(x, y, y_pred, sample_weight)
        self.mae.update_state(y, y_pred, sample_weight)
        results["mae"] = self.mae.result()
        return results

    def test_step(self, data, *more):
        return super().test_step(data, *more)


class Average(layers.Layer):
    """Keeps a moving average in a variable, and counts calls in another."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False)
        self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)

    def call(self, x, training=None):
        if training:
            batch_mean = ops.mean(x, axis=0)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * batch_mean)
            self.calls.assign_add(1)
            return x - batch_mean
        return x - self.mean


class Routed(layers.Layer):
    """Chooses by value with where, cond and a fixed number of rounds."""

    def __init__(self, rounds=3, **kwargs):
        super().__init__(**kwargs)
        self.rounds = rounds
        self.dense = layers.Dense(4)

    def call(self, x):
        gate = ops.softmax(self.dense(x))
        values, indices = ops.top_k(gate, 2)
        chosen = ops.sum(ops.one_hot(indices, 4) * ops.expand_dims(values, -1), axis=1)
        total = ops.zeros_like(chosen)
        for _ in range(self.rounds):
            total = total + chosen
        for index in range(gate.shape[-1]):
            total = total + gate[:, index : index + 1]
        large = ops.mean(total) > 1.0
        return ops.cond(large, lambda: total / 2, lambda: total)


def build_model():
    base = keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), weights=None, include_top=False
    )
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = base(inputs, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = Average()(x)
    x = Routed()(x)
    outputs = layers.Dense(1, dtype="float32")(x)
    model = keras.Model(inputs, outputs)
    if len(model.trainable_weights) > 1:
        model.compile(keras.optimizers.Adam(learning_rate=1e-4, clipnorm=1.0), "mse")
    return model


def evaluate(model, data):
    losses = []
    for x, y in data:
        predicted = ops.convert_to_numpy(model(x, training=False))
        losses.append(float(np.mean(np.square(predicted - y))))
        if np.isnan(losses[-1]) or losses[-1] > 1e6:
            break
    return np.mean(losses)
