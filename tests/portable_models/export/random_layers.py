"""A layer that draws in inference, in a module of its own, so that child processes can import it."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("tests")
class Sampling(layers.Layer):
    """The step of a variational autoencoder that draws."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.seed_generator = keras.random.SeedGenerator(5)

    def call(self, inputs):
        mean, spread = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(spread) * noise
