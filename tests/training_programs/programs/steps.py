"""Steps of one's own, for each backend as Keras's guides write them."""

from __future__ import annotations

import keras
from keras import layers, ops

from .distilling import Distiller
from .program import BACKEND, Programs
from .samples import binary, classes, regression

PROGRAMS = Programs("steps", "Keras guides, customizing what happens in fit()")

if BACKEND == "jax":
    from .steps_jax import Accumulating, Extra, GradientNorm, Guide, LowLevel, OwnTest
elif BACKEND == "tensorflow":
    from .steps_tensorflow import Accumulating, Extra, GradientNorm, Guide, LowLevel, OwnTest
else:
    from .steps_torch import Accumulating, Extra, GradientNorm, Guide, LowLevel, OwnTest


def of(kind, loss="mse", metrics=("mae",), optimizer="adam", outputs=1):
    """A functional model of a class with its own step."""
    inputs = keras.Input((5,))
    hidden = layers.Dropout(0.2)(layers.Dense(6, activation="relu")(inputs))
    model = kind(inputs, layers.Dense(outputs)(hidden))
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return model


def three_epochs(data=regression, **more):
    x, y = data()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8} | more


@PROGRAMS.add(
    lambda: of(Guide), notes="the step unpacks the pair that the user passed: x, y = data"
)
def guide_pair(folder):
    return three_epochs()


@PROGRAMS.add(
    lambda: of(LowLevel, loss=None, metrics=()), notes="trackers of its own; no compiled loss"
)
def guide_low_level(folder):
    return three_epochs()


@PROGRAMS.add(lambda: of(Extra), notes="returns {**super().train_step(data), 'extra': ...}")
def extra_log(folder):
    x, y = regression()
    return three_epochs(validation_data=(x[:9], y[:9]))


@PROGRAMS.add(lambda: of(GradientNorm), notes="logs the norm of the gradient of each last batch")
def gradient_norm_log(folder):
    return three_epochs()


@PROGRAMS.add(
    lambda: of(OwnTest), notes="a test_step of its own: validation measures something else"
)
def own_test_step(folder):
    x, y = regression()
    return three_epochs(validation_data=(x[:9], y[:9]))


@PROGRAMS.add(
    lambda: of(Accumulating, optimizer=keras.optimizers.SGD(0.05)),
    source="Stack Overflow: accumulate gradients over several batches in a custom train_step",
    notes="sums of gradients in variables of the model, applied every second batch",
)
def hand_written_accumulation(folder):
    return three_epochs()


def distiller():
    teacher = keras.Sequential([keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(3)])
    student = keras.Sequential([keras.Input((5,)), layers.Dense(3, "tanh"), layers.Dense(3)])
    model = Distiller(student=student, teacher=teacher)
    model.compile(
        optimizer=keras.optimizers.Adam(),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        distillation_loss_fn=keras.losses.KLDivergence(),
        alpha=0.1,
        temperature=10,
    )
    return model


@PROGRAMS.add(
    distiller, source="Keras code examples, knowledge distillation", notes="own compile()"
)
def distillation(folder):
    x, y = classes()
    return three_epochs(classes, validation_data=(x[:9], y[:9]))


class OwnLoss(keras.Model):
    """Keras's guide to ``compute_loss``, with a penalty on the outputs."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="own_loss")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = ops.mean(keras.losses.mean_squared_error(y, y_pred)) + 0.1 * ops.mean(
            ops.abs(y_pred)
        )
        loss = loss + sum(self.losses)
        self.loss_tracker.update_state(loss)
        return loss

    def reset_metrics(self):
        self.loss_tracker.reset_state()

    @property
    def metrics(self):
        return [self.loss_tracker]


@PROGRAMS.add(
    lambda: of(OwnLoss, loss=None, metrics=()),
    notes="compute_loss with a tracker; metrics and reset_metrics of its own",
)
def guide_compute_loss(folder):
    x, y = regression()
    return three_epochs(validation_data=(x[:9], y[:9]))


class OwnMetrics(keras.Model):
    """``compute_metrics`` adds a value that no metric holds."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        results = super().compute_metrics(x, y, y_pred, sample_weight)
        results["largest"] = ops.max(y_pred)
        return results


@PROGRAMS.add(
    lambda: of(OwnMetrics), notes="compute_metrics adds the largest output of the last batch"
)
def guide_compute_metrics(folder):
    return three_epochs()


@PROGRAMS.add(
    lambda: of(Extra, loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"]),
    notes="a step that calls super() gets class weights as a third part of its data",
)
def extra_log_with_class_weight(folder):
    return three_epochs(binary, class_weight={0: 0.5, 1: 2.0})
