"""Every optimizer, and what can be asked of one: clipping, averages, accumulation, schedules."""

from __future__ import annotations

import keras
from keras import layers

from .program import Programs
from .samples import classes, regression

PROGRAMS = Programs("optimizing", "Keras API documentation, optimizers")

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop_centered": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam_amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "adamax": lambda: keras.optimizers.Adamax(0.01),
    "adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "ftrl": lambda: keras.optimizers.Ftrl(0.05, l1_regularization_strength=0.01),
    "lion": lambda: keras.optimizers.Lion(0.003),
    "lamb": lambda: keras.optimizers.Lamb(0.01),
    "muon": lambda: keras.optimizers.Muon(0.01),
    "schedule_free_adamw": lambda: keras.optimizers.ScheduleFreeAdamW(0.01, warmup_steps=3),
}
# Lion steps by the sign of a running mean, so a rounding error near 0 is a whole step.
ASKED = {
    "clipnorm": lambda: keras.optimizers.Adam(0.01, clipnorm=0.05),
    "clipvalue": lambda: keras.optimizers.SGD(0.1, clipvalue=0.02),
    "global_clipnorm": lambda: keras.optimizers.RMSprop(0.01, global_clipnorm=0.05),
    "ema": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.7),
    "ema_overwriting": lambda: keras.optimizers.SGD(
        0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=4
    ),
    "accumulation": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=3),
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.05), initial_scale=1024.0, dynamic_growth_steps=4
    ),
    "exponential_decay": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5, staircase=True)
    ),
    "piecewise": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.PiecewiseConstantDecay([5, 9], [0.01, 0.003, 0.001])
    ),
    "cosine_with_warmup": lambda: keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(0.0, 12, warmup_target=0.02, warmup_steps=4),
        weight_decay=0.01,
    ),
    "own_schedule": lambda: keras.optimizers.Adam(Noam(16, 5), beta_2=0.98, epsilon=1e-9),
}


class Noam(keras.optimizers.schedules.LearningRateSchedule):
    """The schedule of the transformer's tutorials."""

    def __init__(self, width, warmup):
        super().__init__()
        self.width, self.warmup = float(width), warmup

    def __call__(self, step):
        step = keras.ops.cast(step, "float32") + 1
        grown = keras.ops.minimum(keras.ops.rsqrt(step), step * self.warmup**-1.5)
        return 0.1 * self.width**-0.5 * grown

    def get_config(self):
        return {"width": self.width, "warmup": self.warmup}


def with_optimizer(optimizer, policy=None):
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation="tanh", dtype=policy),
            layers.Dense(4, activation="tanh", dtype=policy),
            layers.Dense(1, dtype="float32"),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def four_epochs(folder):
    x, y = regression()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8, "validation_data": (x[:9], y[:9])}


for _name, _make in {**OPTIMIZERS, **ASKED}.items():
    PROGRAMS.add(lambda make=_make: with_optimizer(make()), name=_name)(four_epochs)


def several_optimizers():
    """One optimizer for the body and one for the head."""
    model = with_optimizer("sgd")
    head = model.layers[-1]
    optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.05))
    for variable in head.trainable_variables:
        optimizers[variable.path] = keras.optimizers.Adam(0.01)
    model.compile(keras.optimizers.MultiOptimizer(optimizers), "mse", metrics=["mae"])
    return model


PROGRAMS.add(several_optimizers, name="multi_optimizer", notes="Keras's MultiOptimizer")(
    four_epochs
)


def mixed():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential(
            [
                keras.Input((5,)),
                layers.Dense(6, activation="relu"),
                layers.BatchNormalization(),
                layers.Dense(3, activation="softmax", dtype="float32"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    finally:
        keras.config.set_dtype_policy("float32")
    return model


def mixed_bfloat16():
    return with_optimizer(keras.optimizers.SGD(0.02), keras.DTypePolicy("mixed_bfloat16"))


HALF = 2.0**13
"""A unit in the last place of float16 against one of float32: what is rounded in half precision differs by
that much where a compiler keeps the intermediate values of a chain of operations in float32."""


@PROGRAMS.add(
    mixed,
    source="Keras guide, mixed precision",
    notes="the policy makes compile wrap the optimizer in a LossScaleOptimizer",
    sensitivity=HALF / 64,
)
def mixed_float16(folder):
    x, y = classes()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8}


PROGRAMS.add(mixed_bfloat16, name="mixed_bfloat16", sensitivity=8 * HALF / 64)(four_epochs)
