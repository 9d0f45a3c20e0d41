"""A subclassed model that leaves it to Keras to tell its layers that they are trained."""

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="gaps")
class Classifier(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(16, activation="relu", name="hidden")
        self.drop = layers.Dropout(0.5, seed=1, name="drop")
        self.out = layers.Dense(2, name="out")

    def call(self, inputs, training=None):
        return self.out(self.drop(self.hidden(inputs)))

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.out.build((None, 16))


def build_model():
    model = Classifier()
    model(keras.ops.zeros((1, 4)))
    return model


# named: forward of classifier
