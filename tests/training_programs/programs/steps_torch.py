"""Steps of one's own on PyTorch: they go backward themselves."""

from __future__ import annotations

import keras
import torch


class Guide(keras.Model):
    def train_step(self, data):
        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        weights = list(self.trainable_weights)
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in weights], weights)
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
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.loss_fn(y, y_pred)
        loss.backward()
        weights = list(self.trainable_weights)
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in weights], weights)
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


class Extra(keras.Model):
    def train_step(self, data):
        logs = super().train_step(data)
        return {**logs, "extra": data[0].abs().mean(), "twice": 2 * logs["loss"]}


class GradientNorm(keras.Model):
    def train_step(self, data):
        before = [v.value.detach().clone() for v in self.trainable_variables]
        logs = super().train_step(data)
        now = [v.value.detach() for v in self.trainable_variables]
        moved = sum(((new - old) ** 2).sum() for new, old in zip(now, before, strict=True))
        return logs | {"gradient_norm": torch.sqrt(moved)}


class OwnTest(keras.Model):
    def test_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"largest_error": (y - self(x, training=False)).abs().max()}


class Accumulating(keras.Model):
    """Every second batch the sum of two gradients is applied; the sums are states of the model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        make = self.add_weight
        self.sums = [make(v.shape, "zeros", trainable=False) for v in self.trainable_variables]
        self.batches = make((), "zeros", dtype="int32", trainable=False)

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(x, y, y_pred, sample_weight)
        self._loss_tracker.update_state(loss, sample_weight=len(x))
        loss.backward()
        weights = list(self.trainable_weights)
        with torch.no_grad():
            for total, weight in zip(self.sums, weights, strict=True):
                total.assign_add(weight.value.grad)
            self.batches.assign_add(1)
            if int(self.batches.value) % 2 == 0:
                self.optimizer.apply([total.value.clone() for total in self.sums], weights)
                for total in self.sums:
                    total.assign(torch.zeros_like(total.value))
        return self.compute_metrics(x, y, y_pred, sample_weight)
