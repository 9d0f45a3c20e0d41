"""A study whose variants compute in half precision, each by its policy."""

from functools import partial

import keras
from misbehaving import study_of, variant

POLICIES = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")


def build(data, policy):
    """A network with a penalty, statistics and dropout.

    No penalty where the weights are half precision themselves: Keras 3.15 on TensorFlow cannot add a
    penalty of half precision to a loss of float32.
    """
    penalty = "l2" if policy.startswith("mixed") else None
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(8, activation="tanh", kernel_regularizer=penalty),
                layers.BatchNormalization(),
                layers.Dropout(0.2),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
    finally:
        keras.config.set_dtype_policy(before)


study = study_of(
    "half_precision",
    *(variant(policy, partial(build, policy=policy), optimizer="rmsprop") for policy in POLICIES),
)
