"""Steps of one's own on JAX: they take the state and the data, and give the logs and the state."""

from __future__ import annotations

import jax
import keras
from jax import numpy as jnp
from keras import ops


class Guide(keras.Model):
    def compute_loss_and_updates(self, trainable, non_trainable, x, y, training=False):
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=training)
        return self.compute_loss(x, y, y_pred), (y_pred, non_trainable)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        x, y = data
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable)), grads = grad_fn(
            trainable, non_trainable, x, y, training=True
        )
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        updated, logs = [], {}
        for metric in self.metrics:
            own = metrics[len(updated) : len(updated) + len(metric.variables)]
            if metric.name == "loss":
                own = metric.stateless_update_state(own, loss)
            else:
                own = metric.stateless_update_state(own, y, y_pred)
            logs[metric.name] = metric.stateless_result(own)
            updated += own
        return logs, (trainable, non_trainable, optimizer, updated)


class LowLevel(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
        self.loss_fn = keras.losses.MeanSquaredError()

    def loss_and_updates(self, trainable, non_trainable, x, y):
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
        return self.loss_fn(y, y_pred), (y_pred, non_trainable)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        x, y = data
        grad_fn = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable)), grads = grad_fn(trainable, non_trainable, x, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        split = len(self.loss_tracker.variables)
        of_loss = self.loss_tracker.stateless_update_state(metrics[:split], loss)
        of_mae = self.mae_metric.stateless_update_state(metrics[split:], y, y_pred)
        logs = {
            "loss": self.loss_tracker.stateless_result(of_loss),
            "mae": self.mae_metric.stateless_result(of_mae),
        }
        return logs, (trainable, non_trainable, optimizer, of_loss + of_mae)

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


class Extra(keras.Model):
    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {**logs, "extra": ops.mean(ops.abs(data[0])), "twice": 2 * logs["loss"]}, state


class GradientNorm(keras.Model):
    def train_step(self, state, data):
        before = state[0]
        logs, state = super().train_step(state, data)
        moved = sum(jnp.sum((new - old) ** 2) for new, old in zip(state[0], before, strict=True))
        return logs | {"gradient_norm": jnp.sqrt(moved)}, state


class OwnTest(keras.Model):
    def test_step(self, state, data):
        trainable, non_trainable, metrics = state
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=False)
        logs = {"largest_error": jnp.max(jnp.abs(y - y_pred))}
        return logs, (trainable, non_trainable, metrics)


class Accumulating(keras.Model):
    """Every second batch the sum of two gradients is applied; the sums are states of the model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        make = self.add_weight
        self.sums = [make(v.shape, "zeros", trainable=False) for v in self.trainable_variables]
        self.batches = make((), "zeros", dtype="int32", trainable=False)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (_, (loss, y_pred, non_trainable, metrics)), grads = grad_fn(
            trainable, non_trainable, metrics, x, y, sample_weight, training=True,
            optimizer_variables=optimizer,
        )  # fmt: skip
        non_trainable = list(non_trainable)
        places = [id(v) for v in self.non_trainable_variables]
        at = [places.index(id(v)) for v in self.sums]
        count = places.index(id(self.batches))
        sums = [non_trainable[place] + grad for place, grad in zip(at, grads, strict=True)]
        done = non_trainable[count] + 1

        def apply(_):
            new, state = self.optimizer.stateless_apply(optimizer, sums, trainable)
            return list(new), list(state), [jnp.zeros_like(each) for each in sums]

        def wait(_):
            return list(trainable), list(optimizer), sums

        trainable, optimizer, sums = jax.lax.cond(done % 2 == 0, apply, wait, None)
        for place, value in zip(at, sums, strict=True):
            non_trainable[place] = value
        non_trainable[count] = done
        logs, metrics = self._update_metrics_variables(metrics, loss, x, y, y_pred, sample_weight)
        return logs, (trainable, non_trainable, optimizer, metrics)
