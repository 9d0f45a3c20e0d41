"""Steps of one's own on TensorFlow: a gradient tape."""

from __future__ import annotations

import keras
import tensorflow as tf


class Guide(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class LowLevel(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
        self.loss_fn = keras.losses.MeanSquaredError()

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.loss_fn(y, y_pred)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


class Extra(keras.Model):
    def train_step(self, data):
        logs = super().train_step(data)
        return {**logs, "extra": tf.reduce_mean(tf.abs(data[0])), "twice": 2 * logs["loss"]}


class GradientNorm(keras.Model):
    def train_step(self, data):
        before = [tf.identity(v.value) for v in self.trainable_variables]
        logs = super().train_step(data)
        now = [v.value for v in self.trainable_variables]
        moved = sum(tf.reduce_sum((new - old) ** 2) for new, old in zip(now, before, strict=True))
        return logs | {"gradient_norm": tf.sqrt(moved)}


class OwnTest(keras.Model):
    def test_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"largest_error": tf.reduce_max(tf.abs(y - self(x, training=False)))}


class Accumulating(keras.Model):
    """Every second batch the sum of two gradients is applied; the sums are states of the model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        make = self.add_weight
        self.sums = [make(v.shape, "zeros", trainable=False) for v in self.trainable_variables]
        self.batches = make((), "zeros", dtype="int32", trainable=False)

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        weights = self.trainable_variables
        for total, grad in zip(self.sums, tape.gradient(loss, weights), strict=True):
            total.assign_add(grad)
        self.batches.assign_add(1)
        tf.cond(self.batches.value % 2 == 0, lambda: self.apply_sums(weights), lambda: None)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def apply_sums(self, weights):
        self.optimizer.apply([tf.identity(total.value) for total in self.sums], weights)
        for total in self.sums:
            total.assign(tf.zeros_like(total.value))
