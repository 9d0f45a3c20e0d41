"""Callbacks that look: at weights, batches, validation, and with calls of the model."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from .changing import Own
from .program import Programs
from .samples import binary, regression
from .watching import given, network, sgd

PROGRAMS = Programs("looking", "Keras guide, writing your own callbacks; Stack Overflow")


class ReadWeights(Own):
    def on_epoch_end(self, epoch, logs=None):
        self.observations.append([np.array(each) for each in self.model.get_weights()])


@PROGRAMS.add(network)
def weights_each_epoch(folder):
    return given(ReadWeights(), epochs=3)


class Predict(Own):
    """Calls predict and evaluate of the model, as ROC and F1 callbacks do."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        predicted = self.model.predict(self.x, verbose=0)
        measured = self.model.evaluate(self.x, self.y, verbose=0, return_dict=True)
        self.observations.append([predicted, measured])
        logs["f1"] = float(np.mean((predicted > 0.5) == (self.y > 0.5)))


@PROGRAMS.add(
    lambda: network(dropout=0.2),
    source="Keras code examples, evaluating a scikit-learn metric in a callback",
    notes="adds a value of its own to the logs, so to the history",
)
def predict_and_evaluate_in_callback(folder):
    x, y = regression()
    return given(Predict(x[:10], y[:10]), epochs=3)


class EarlyByOwnMetric(Own):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 10 and epoch >= 2:
            self.model.stop_training = True


@PROGRAMS.add(network)
def stop_training_in_callback(folder):
    return given(EarlyByOwnMetric())


class Batches(Own):
    def on_train_batch_begin(self, batch, logs=None):
        self.observations.append(["train begin", batch])

    def on_train_batch_end(self, batch, logs=None):
        self.observations.append(["train end", batch, dict(logs)])

    def on_test_batch_end(self, batch, logs=None):
        self.observations.append(["test end", batch, dict(logs)])

    def on_test_begin(self, logs=None):
        self.observations.append(["test"])

    def on_epoch_end(self, epoch, logs=None):
        self.observations.append(["epoch", dict(logs)])


@PROGRAMS.add(network, notes="the logs of every batch, in training and in validation")
def batches_watched(folder):
    return given(Batches(), epochs=2)


class StopInEpoch(Own):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) >= 6:
            self.model.stop_training = True


@PROGRAMS.add(
    network,
    backends=("tensorflow", "torch"),
    notes="ends within an epoch; on JAX iterations stand still there",
)
def stop_within_an_epoch(folder):
    return given(StopInEpoch())


class StopByBatchLoss(Own):
    def on_train_batch_end(self, batch, logs=None):
        self.observations.append(float(logs["loss"]))
        if len(self.observations) >= 6:
            self.model.stop_training = True


@PROGRAMS.add(network, notes="ends within an epoch, and validates all the same")
def stop_after_six_batches(folder):
    return given(StopByBatchLoss())


class AroundValidation(Own):
    """Validates with other weights than it trains with."""

    def on_test_begin(self, logs=None):
        self.kept = [np.array(each) for each in self.model.get_weights()]
        self.model.set_weights([0.5 * each for each in self.kept])
        self.observations.append("begin")

    def on_test_end(self, logs=None):
        self.observations.append(["end", dict(logs)])
        self.model.set_weights(self.kept)


@PROGRAMS.add(
    network, source="weight averaging callbacks", notes="on_test_begin comes before validation"
)
def other_weights_in_validation(folder):
    return given(AroundValidation(), epochs=3)


class Time(Own):
    """Order of two callbacks: the second one reads what the first has written into the logs."""

    def on_epoch_end(self, epoch, logs=None):
        logs["gap"] = logs["val_loss"] - logs["loss"]


@PROGRAMS.add(sgd(0.2), notes="a callback monitors what the one before it has put into the logs")
def monitor_of_a_made_up_value(folder):
    return given(
        Time(),
        keras.callbacks.ReduceLROnPlateau(monitor="gap", mode="min", patience=1, factor=0.5),
        epochs=4,
    )


class Nearest(Own):
    """Calls the model itself, and layers of it, in training mode: dropout draws from its generator."""

    def on_epoch_begin(self, epoch, logs=None):
        x = ops.ones((2, 5))
        self.observations.append(ops.convert_to_numpy(self.model(x, training=True)))


@PROGRAMS.add(
    lambda: network(dropout=0.3),
    notes="draws between the epochs move the model's seed generator on",
)
def model_called_in_callback(folder):
    return given(Nearest(), epochs=3)


class Nested(Own):
    """Trains another model within the training, e.g. a probe on the features."""

    def on_epoch_end(self, epoch, logs=None):
        x, y = binary()
        if epoch == 1:
            probe = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
            probe.compile("sgd", "mse")
            history = probe.fit(x, y, epochs=1, verbose=0, shuffle=False)
            self.observations.append(history.history)


@PROGRAMS.add(network, notes="a fit within a fit")
def another_fit_in_callback(folder):
    return given(Nested(), epochs=3)


class Metrics(Own):
    """Looks at the model's metrics and the last results."""

    def on_epoch_end(self, epoch, logs=None):
        self.observations.append([metric.name for metric in self.model.metrics])
        self.observations.append(int(self.model.optimizer.iterations))
        self.observations.append(dict(self.params))


@PROGRAMS.add(network)
def iterations_and_params_in_callback(folder):
    return given(Metrics(), epochs=3)
