"""Custom losses, metrics, callbacks, schedules, regularizers, constraints, initializers and optimizers."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class Focal(keras.losses.Loss):
    def __init__(self, gamma=2.0, name="focal", reduction="sum_over_batch_size", **kwargs):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        y_pred = ops.clip(y_pred, 1e-7, 1 - 1e-7)
        y_true = ops.cast(y_true, y_pred.dtype)
        right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
        return -ops.mean(ops.power(1 - right, self.gamma) * ops.log(right), axis=-1)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}


def huber_like(y_true, y_pred):
    error = y_true - y_pred
    small = ops.abs(error) < 1.0
    return ops.mean(ops.where(small, 0.5 * ops.square(error), ops.abs(error) - 0.5), axis=-1)


@keras.saving.register_keras_serializable(package="sound")
class Positives(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.count = self.add_variable(shape=(), name="count", initializer="zeros")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        found = ops.cast(y_pred > self.threshold, self.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            found = found * sample_weight
        self.count.assign_add(ops.sum(found))
        self.total.assign(self.total + ops.cast(ops.shape(y_pred)[0], self.dtype))

    def result(self):
        return self.count / ops.maximum(self.total, 1.0)

    def reset_state(self):
        self.count.assign(0.0)
        self.total.assign(0.0)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class Stop(keras.callbacks.Callback):
    def __init__(self, patience=0):
        super().__init__()
        self.patience = patience
        self.best_weights = None

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.best = np.inf

    def on_epoch_end(self, epoch, logs=None):
        current = logs.get("loss")
        if np.less(current, self.best):
            self.best = current
            self.wait = 0
            self.best_weights = self.model.get_weights()
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.model.stop_training = True
        rate = float(self.model.optimizer.learning_rate)
        self.model.optimizer.learning_rate = rate * 0.9


@keras.saving.register_keras_serializable(package="sound")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return ops.where(step < self.steps, self.rate * step / self.steps, self.rate)

    def get_config(self):
        return {"rate": self.rate, "steps": self.steps}


@keras.saving.register_keras_serializable(package="sound")
class Smooth(keras.regularizers.Regularizer):
    def __init__(self, rate=0.01):
        self.rate = rate

    def __call__(self, x):
        return self.rate * ops.sum(ops.square(x[1:] - x[:-1]))

    def get_config(self):
        return {"rate": float(self.rate)}


@keras.saving.register_keras_serializable(package="sound")
class Centred(keras.constraints.Constraint):
    def __init__(self, centre=0.0):
        self.centre = centre

    def __call__(self, w):
        return w - ops.mean(w) + self.centre

    def get_config(self):
        return {"centre": self.centre}


@keras.saving.register_keras_serializable(package="sound")
class Ramp(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        values = np.linspace(-1.0, 1.0, int(np.prod(shape)))
        return ops.convert_to_tensor(values.reshape(shape), dtype=dtype or "float32")


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return int(np.ceil(len(self.x) / self.batch_size))

    def __getitem__(self, index):
        low = index * self.batch_size
        high = min(low + self.batch_size, len(self.x))
        order = np.random.default_rng(index).permutation(high - low)
        return self.x[low:high][order], self.y[low:high][order]


def build_model():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(
                4,
                kernel_initializer=Ramp(),
                kernel_regularizer=Smooth(),
                kernel_constraint=Centred(),
            ),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(WarmUp(0.1, 10)), loss=Focal(), metrics=[Positives(), huber_like]
    )
    return model


def train():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(32, 6)), draw.integers(0, 2, size=(32, 1))
    model = build_model()
    model.fit(Batches(x, y, 8), epochs=2, callbacks=[Stop()], verbose=0)
    predicted = model.predict(x, verbose=0)
    if np.mean(predicted) > 0.5 and float(np.max(predicted)) > 0.9:
        model.save("model.keras")
    return [float(value) for value in predicted[:, 0]]
