"""Whether the gaps of models that are trained otherwise than they are called are there."""

import keras
import numpy as np


def share_of_zeros(y_true, y_pred):
    return keras.ops.mean(keras.ops.cast(y_pred == 0.0, "float32"))


def fit_trains_without_dropout():
    def share_dropped(hand_on):
        class Dropping(keras.Model):
            def __init__(self):
                super().__init__()
                self.wide = keras.layers.Dense(100, kernel_initializer="ones")
                self.drop = keras.layers.Dropout(0.5, seed=1)

            def call(self, x, training=None):
                x = self.wide(x)
                return self.drop(x, training=training) if hand_on else self.drop(x)

        model = Dropping()
        model.compile("sgd", "mse", metrics=[share_of_zeros])
        ones = np.ones((4, 100), "float32")
        return model.fit(ones, ones, verbose=0).history["share_of_zeros"][0]

    assert share_dropped(hand_on=True) > 0.3
    return share_dropped(hand_on=False) == 0.0


PROOFS = {"training-not-handed-on": fit_trains_without_dropout}
