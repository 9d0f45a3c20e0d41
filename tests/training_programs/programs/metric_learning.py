"""Distances between examples: siamese networks, triplets, contrastive losses."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from .program import BACKEND, Programs
from .samples import classes, floats, rng

PROGRAMS = Programs(
    "metric_learning", "Keras code examples, siamese networks and contrastive losses"
)


def contrastive(margin=1.0):
    """A loss with a setting, as a closure."""

    def contrastive_loss(y_true, y_pred):
        near = ops.square(y_pred)
        far = ops.square(ops.maximum(margin - y_pred, 0.0))
        return ops.mean((1 - y_true) * near + y_true * far)

    return contrastive_loss


def euclidean(vectors):
    one, other = vectors
    squared = ops.sum(ops.square(one - other), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(squared, keras.config.epsilon()))


def siamese():
    pixels = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3, activation="tanh")(layers.BatchNormalization()(pixels))
    hidden = layers.Flatten()(layers.AveragePooling2D(2)(hidden))
    embedding = keras.Model(pixels, layers.Dense(4, "tanh")(hidden))
    one, other = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    distance = layers.Lambda(euclidean, output_shape=(1,))([embedding(one), embedding(other)])
    hidden = layers.BatchNormalization()(distance)
    model = keras.Model([one, other], layers.Dense(1, "sigmoid")(hidden))
    model.compile(loss=contrastive(margin=1.0), optimizer="RMSprop", metrics=["accuracy"])
    return model


def pairs():
    x, y = floats(rows=25)
    partner = rng(6).permutation(len(x))
    return [x, x[partner]], (y != y[partner]).astype("float32")


@PROGRAMS.add(
    siamese, notes="a list of two arrays; the loss is a closure; one network is called twice"
)
def siamese_contrastive(folder):
    x, y = pairs()
    held_out = ([part[:8] for part in x], y[:8])
    return {"x": x, "y": y, "validation_data": held_out, "batch_size": 8, "epochs": 3}


class DistanceLayer(layers.Layer):
    def call(self, anchor, positive, negative):
        near = ops.sum(ops.square(anchor - positive), -1)
        return near, ops.sum(ops.square(anchor - negative), -1)


class TripletBase(keras.Model):
    """The network gives two distances; the step makes the loss of them."""

    def __init__(self, network, margin=0.5):
        super().__init__()
        self.network, self.margin = network, margin
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.built = True

    def call(self, inputs):
        return self.network(inputs)

    def triplet_loss(self, distances):
        return ops.mean(ops.maximum(distances[0] - distances[1] + self.margin, 0.0))

    @property
    def metrics(self):
        return [self.loss_tracker]


if BACKEND == "jax":
    import jax

    class Triplet(TripletBase):
        def loss_and_updates(self, trainable, non_trainable, x):
            distances, non_trainable = self.stateless_call(trainable, non_trainable, x)
            return self.triplet_loss(distances), non_trainable

        def train_step(self, state, data):
            trainable, non_trainable, optimizer, metrics = state
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            grad_fn = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, non_trainable), grads = grad_fn(trainable, non_trainable, x)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            metrics = self.loss_tracker.stateless_update_state(metrics, loss)
            logs = {"loss": self.loss_tracker.stateless_result(metrics)}
            return logs, (trainable, non_trainable, optimizer, metrics)

        def test_step(self, state, data):
            trainable, non_trainable, metrics = state
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            loss, non_trainable = self.loss_and_updates(trainable, non_trainable, x)
            metrics = self.loss_tracker.stateless_update_state(metrics, loss)
            logs = {"loss": self.loss_tracker.stateless_result(metrics)}
            return logs, (trainable, non_trainable, metrics)

else:

    class Triplet(TripletBase):
        def train_step(self, data):
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            weights = list(self.network.trainable_weights)
            if BACKEND == "tensorflow":
                import tensorflow as tf

                with tf.GradientTape() as tape:
                    loss = self.triplet_loss(self.network(x))
                self.optimizer.apply_gradients(
                    zip(tape.gradient(loss, weights), weights, strict=True)
                )
            else:
                import torch

                loss = self.triplet_loss(self.network(x))
                self.zero_grad()
                loss.backward()
                with torch.no_grad():
                    self.optimizer.apply([weight.value.grad for weight in weights], weights)
            self.loss_tracker.update_state(loss)
            return {"loss": self.loss_tracker.result()}

        def test_step(self, data):
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            self.loss_tracker.update_state(self.triplet_loss(self.network(x)))
            return {"loss": self.loss_tracker.result()}


def triplet():
    # A last bias would cancel in the distances: no gradient but rounding, of which Adam makes whole steps.
    last = layers.Dense(3, use_bias=False)
    embedding = keras.Sequential([keras.Input((5,)), layers.Dense(6, "relu"), last])
    inputs = [keras.Input((5,), name=name) for name in ("anchor", "positive", "negative")]
    distances = DistanceLayer()(*[embedding(each) for each in inputs])
    model = Triplet(keras.Model(inputs, distances))
    model.compile(optimizer=keras.optimizers.Adam(0.001))
    return model


@PROGRAMS.add(triplet, notes="three inputs and no targets; own train_step and test_step")
def triplet_without_y(folder):
    x, _ = classes()
    three = (x, x[::-1].copy(), np.roll(x, 3, axis=0))
    return {
        "x": three,
        "epochs": 3,
        "batch_size": 8,
        "validation_data": (tuple(part[:9] for part in three), None),
    }


class NpairLoss(keras.losses.Loss):
    """Supervised contrastive loss over the whole batch."""

    def __init__(self, temperature=0.5, name="npair"):
        super().__init__(name=name)
        self.temperature = temperature

    def call(self, y_true, y_pred):
        y_pred = ops.normalize(y_pred, axis=1)
        logits = ops.matmul(y_pred, ops.transpose(y_pred)) / self.temperature
        same = ops.cast(ops.equal(y_true, ops.transpose(y_true)), logits.dtype)
        same = same / ops.sum(same, axis=1, keepdims=True)
        return ops.categorical_crossentropy(same, logits, from_logits=True)


def supervised_contrastive():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(4)])
    model.compile(optimizer=keras.optimizers.Adam(), loss=NpairLoss(temperature=0.3))
    return model


@PROGRAMS.add(
    supervised_contrastive, notes="a loss over pairs in the batch, as a class; y of shape (n, 1)"
)
def supervised_contrastive_pairs(folder):
    x, y = classes()
    return {"x": x, "y": y[:, None], "epochs": 3, "batch_size": 12}
