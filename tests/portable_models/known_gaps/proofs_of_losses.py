"""Whether the gaps of losses that look behind an activation are there."""

import warnings

import keras
import numpy as np

CLIPPED = -np.log(1e-7)


def _costs_its_logit(loss, activation="sigmoid"):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation(activation)])
    model.compile(loss=loss)
    value = model.evaluate(np.full((1, 1), -30.0), np.ones((1, 1)), verbose=0)
    return bool(value > 1.5 * CLIPPED)


def focal_of_logits_is_not_clipped():
    return _costs_its_logit(keras.losses.BinaryFocalCrossentropy(from_logits=True), "linear")


def from_logits_is_not_believed():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    with warnings.catch_warnings():
        # TensorFlow's, of just this.
        warnings.filterwarnings("ignore", '"`binary_crossentropy` received', UserWarning)
        return _costs_its_logit(loss)


def a_crossentropy_in_a_function_is_not_clipped():
    def own(y_true, y_pred):
        return keras.losses.binary_crossentropy(y_true, y_pred)

    def advised(y_true, y_pred):
        return keras.losses.binary_crossentropy(y_true, keras.ops.multiply(y_pred, 1.0))

    assert not _costs_its_logit(advised)
    return _costs_its_logit(own)


PROOFS = {
    "focal-from-logits": focal_of_logits_is_not_clipped,
    "logits-of-an-activation": from_logits_is_not_believed,
    "crossentropy-in-own-loss": a_crossentropy_in_a_function_is_not_clipped,
}
