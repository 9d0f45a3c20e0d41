"""Callbacks that change the training while it runs, and callbacks that look into it."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from .program import Programs
from .samples import regression
from .watching import given, network, sgd

PROGRAMS = Programs(
    "changing", "Stack Overflow and GitHub issues on callbacks that change a training"
)

Callback = keras.callbacks.Callback


class Own(Callback):
    """A callback that writes down what it has seen."""

    def __init__(self):
        super().__init__()
        self.observations = []


class Unfreeze(Own):
    """Trains the head alone, then everything; no new compile."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_layer("body").trainable = epoch >= 2
        self.observations.append(len(self.model.trainable_variables))


@PROGRAMS.add(
    sgd(),
    backends=("torch",),
    source="keras issue 9477, a callback for fine-tuning",
    notes="only PyTorch's step asks for the trainable weights anew; see freeze_in_callback",
)
def unfreeze_in_callback(folder):
    return given(Unfreeze())


class Freeze(Own):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.get_layer("body").trainable = False
        self.observations.append(len(self.model.trainable_variables))


@PROGRAMS.add(
    sgd(),
    backends=("tensorflow", "torch"),
    source="keras issue 3268, froze layer but weights still changed",
    notes="on JAX Model.fit itself raises: the optimizer was built for more variables",
)
def freeze_in_callback(folder):
    return given(Freeze())


class DropoutRate(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_layer("drop").rate = 0.1 * epoch


@PROGRAMS.add(
    lambda: network(dropout=0.3),
    notes="a Python number: traced steps on JAX and TensorFlow keep the first",
)
def dropout_rate_in_callback(folder):
    return given(DropoutRate())


class LearningRate(Own):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.1 / (epoch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.observations.append(float(self.model.optimizer.learning_rate))


@PROGRAMS.add(sgd())
def learning_rate_in_callback(folder):
    return given(LearningRate())


class Warmup(Callback):
    """A learning rate for every batch, as warm-ups and cyclical rates are written."""

    def on_train_batch_begin(self, batch, logs=None):
        step = int(self.model.optimizer.iterations)
        self.model.optimizer.learning_rate.assign(0.05 * min(1.0, (step + 1) / 6))


@PROGRAMS.add(sgd(), notes="watches batches")
def learning_rate_by_batch(folder):
    return given(Warmup(), epochs=3)


def two_outputs():
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(6, "relu")(inputs)
    outputs = [keras.layers.Dense(1, name=name)(hidden) for name in ("one", "two")]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.1])
    return model


class LossWeights(Callback):
    """Reaches into Keras, as answers on the web do."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model._compile_loss._user_loss_weights[1] = 5.0
            self.model._compile_loss.built = False


def targets():
    x, y = regression()
    return {"x": x, "y": [y, 2 * y], "epochs": 3, "batch_size": 8}


@PROGRAMS.add(two_outputs, notes="a list of weights that Keras has read when it built its losses")
def loss_weights_in_callback(folder):
    return targets() | {"callbacks": [LossWeights()]}


class Weighted(keras.losses.Loss):
    """A weight of the loss in a variable, which a callback changes."""

    def __init__(self, alpha):
        super().__init__(name="weighted")
        self.alpha = alpha

    def call(self, y_true, y_pred):
        near = ops.mean(ops.square(y_true - y_pred), axis=-1)
        return self.alpha * near + (1 - ops.convert_to_tensor(self.alpha)) * ops.abs(y_pred[:, 0])


def weighted_by_a_variable():
    model = network("sgd")
    model.alpha = keras.Variable(1.0, trainable=False, name="alpha")
    model.compile("sgd", Weighted(model.alpha), metrics=["mae"])
    return model


class AlphaOfModel(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.alpha.assign(0.5 / (epoch + 1))


@PROGRAMS.add(
    weighted_by_a_variable,
    source="Stack Overflow: change the weight of a loss during training, K.variable and K.set_value",
    notes="a variable of the model that the loss reads and a callback assigns",
)
def loss_weight_in_a_variable(folder):
    return given(AlphaOfModel(), epochs=4)


class ClipWeights(Callback):
    def on_epoch_end(self, epoch, logs=None):
        for layer in self.model.layers:
            layer.set_weights([np.clip(each, -0.3, 0.3) for each in layer.get_weights()])


@PROGRAMS.add(sgd(), notes="sets weights after each epoch")
def weights_in_callback(folder):
    return given(ClipWeights())


class OtherOptimizer(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.optimizer = keras.optimizers.Adam(0.01)
            self.model.optimizer.build(self.model.trainable_variables)


@PROGRAMS.add(
    sgd(),
    backends=("torch",),
    notes="a new optimizer; the traced steps of JAX and TensorFlow have the old one",
)
def optimizer_in_callback(folder):
    return given(OtherOptimizer())


class Penalty(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_layer("penalised").kernel_regularizer.l2 = 0.1 * epoch


def penalised():
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(6, "relu", name="penalised", kernel_regularizer=keras.regularizers.L2(0.01)),
            keras.layers.Dense(1),
        ]
    )  # fmt: skip
    model.compile("sgd", "mse")
    return model


@PROGRAMS.add(penalised, notes="the factor of a regularizer is a Python number")
def regularizer_in_callback(folder):
    return given(Penalty(), epochs=3)
