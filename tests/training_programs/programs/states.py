"""Layers, losses and metrics of one's own, those with a state among them."""

from __future__ import annotations

import functools

import keras
from keras import layers, ops

from .program import Programs
from .samples import binary, regression

PROGRAMS = Programs("states", "Keras guides, making new layers, losses and metrics; Stack Overflow")


def three_epochs(data=regression, **more):
    x, y = data()
    held_out = (x[:9], y[:9])
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8, "validation_data": held_out} | more


def model_of(*parts, loss="mse", metrics=("mae",), optimizer="adam", **settings):
    model = keras.Sequential([keras.Input((5,)), *parts])
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics), **settings)
    return model


class ActivitySparsity(layers.Layer):
    """add_loss in ``call``, as in Keras's guide."""

    def __init__(self, rate=1e-2):
        super().__init__()
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * ops.mean(ops.square(inputs)))
        return inputs


@PROGRAMS.add(
    lambda: model_of(
        layers.Dense(6, "relu", activity_regularizer=keras.regularizers.L1(0.01)),
        ActivitySparsity(),
        layers.Dense(
            1, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.01), bias_regularizer="l2"
        ),
    ),
    notes="three kinds of penalties",
)
def add_loss_and_regularizers(folder):
    return three_epochs()


class OwnNoise(layers.Layer):
    """Noise from its own seed generator, and a running mean of what came in."""

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(3)

    def build(self, shape):
        self.mean = self.add_weight((shape[-1],), "zeros", trainable=False, name="mean")
        self.calls = self.add_weight((), "zeros", dtype="int32", trainable=False, name="calls")

    def call(self, inputs, training=False):
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(inputs, axis=0))
            self.calls.assign_add(1)
            inputs = inputs + 0.1 * keras.random.normal(ops.shape(inputs), seed=self.seed_generator)
        return inputs - self.mean


@PROGRAMS.add(lambda: model_of(layers.Dense(6, "tanh"), OwnNoise(), layers.Dense(1)))
def layer_with_seed_generator_and_moving_average(folder):
    return three_epochs()


class UnbuiltNoisy(keras.Model):
    """Builds in its first call, which draws from a seed generator."""

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(5)
        self.hidden, self.drop, self.out = (
            layers.Dense(6, "relu"),
            layers.Dropout(0.3),
            layers.Dense(1),
        )

    def call(self, inputs, training=None):
        noise = 0.1 * keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        return self.out(self.drop(self.hidden(inputs + noise), training=training))


def unbuilt_noisy():
    model = UnbuiltNoisy()
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@PROGRAMS.add(unbuilt_noisy, notes="draws in training and in validation")
def subclassed_unbuilt_with_draws(folder):
    return three_epochs()


class MaxError(keras.metrics.Metric):
    """The largest error of an epoch: a state that is no mean."""

    def __init__(self, name="max_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(shape=(), initializer="zeros", name="largest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(ops.abs(y_true - y_pred))))

    def result(self):
        return ops.convert_to_tensor(self.largest)


def r_squared(y_true, y_pred):
    rest = ops.sum(ops.square(y_true - y_pred))
    return 1 - rest / (ops.sum(ops.square(y_true - ops.mean(y_true))) + keras.config.epsilon())


@PROGRAMS.add(
    lambda: model_of(
        layers.Dense(6, "relu"),
        layers.Dense(1),
        metrics=[
            MaxError(),
            r_squared,
            keras.metrics.R2Score(),
            keras.metrics.MeanMetricWrapper(keras.losses.huber, name="huber"),
        ],
    )
)
def own_metrics(folder):
    return three_epochs()


class Counts(keras.metrics.Metric):
    """A metric whose result is a dict: several lines of the history."""

    def __init__(self, name="counts"):
        super().__init__(name=name)
        self.positives = self.add_weight((), "zeros", name="positives")
        self.all = self.add_weight((), "zeros", name="all")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.positives.assign_add(ops.sum(ops.cast(y_pred > 0.5, "float32")))
        self.all.assign_add(ops.cast(ops.size(y_pred), "float32"))

    def result(self):
        positives = ops.convert_to_tensor(self.positives)
        return {"positives": positives, "share": positives / self.all}


@PROGRAMS.add(
    lambda: model_of(
        layers.Dense(1, "sigmoid"),
        loss="binary_crossentropy",
        metrics=[
            Counts(),
            "accuracy",
            keras.metrics.AUC(name="auc"),
            keras.metrics.F1Score(threshold=0.5),
        ],
        weighted_metrics=["accuracy"],
    )
)
def metric_with_a_dict_as_result(folder):
    x, y = binary()
    return three_epochs(lambda: (x, y[:, None]))


def pinball(q):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)

    return loss


@PROGRAMS.add(
    lambda: model_of(layers.Dense(6, "relu"), layers.Dense(1), loss=pinball(0.9)),
    source="quantile regression in Keras, Stack Overflow",
    notes="a closure over a number",
)
def pinball_closure(folder):
    return three_epochs()


def focal(y_true, y_pred, gamma):
    y_pred = ops.clip(y_pred, 1e-6, 1 - 1e-6)
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    return -ops.mean((1 - right) ** gamma * ops.log(right), axis=-1)


@PROGRAMS.add(
    lambda: model_of(
        layers.Dense(1, "sigmoid"),
        loss=functools.partial(focal, gamma=2.0),
        metrics=[functools.partial(focal, gamma=1.0)],
    ),
    notes="functools.partial as loss and as metric",
)
def partial_as_loss(folder):
    x, y = binary()
    return three_epochs(lambda: (x, y[:, None]))


class LogCosh(keras.losses.Loss):
    def __init__(self, factor=2.0):
        super().__init__(name="log_cosh", reduction="sum_over_batch_size")
        self.factor = factor

    def call(self, y_true, y_pred):
        return ops.mean(ops.log(ops.cosh(self.factor * (y_pred - y_true))), axis=-1)


@PROGRAMS.add(lambda: model_of(layers.Dense(1), loss=LogCosh(1.5), metrics=[LogCosh(1.0)]))
def loss_class_with_sample_weights(folder):
    x, y = regression()
    weights = (1 + x[:, 0] ** 2).astype("float32")
    held_out = (x[:9], y[:9], weights[:9])
    return three_epochs(sample_weight=weights, validation_data=held_out)


@PROGRAMS.add(
    lambda: model_of(
        layers.Dense(6, "relu", kernel_constraint=keras.constraints.MaxNorm(0.5)),
        layers.Dense(1, bias_constraint="non_neg", kernel_constraint=keras.constraints.UnitNorm()),
        optimizer=keras.optimizers.SGD(0.1),
    )
)
def constraints(folder):
    return three_epochs()
