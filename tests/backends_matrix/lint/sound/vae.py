"""A variational auto-encoder with a train step for each backend."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class Sampling(layers.Layer):
    def __init__(self, seed=1337, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_variance = inputs
        batch = ops.shape(mean)[0]
        dim = ops.shape(mean)[1]
        epsilon = keras.random.normal(shape=(batch, dim), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * epsilon

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[2])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mean, log_variance, z = self.encoder(x)
        rebuilt = self.decoder(z)
        error = ops.mean(ops.sum(ops.square(x - rebuilt), axis=-1))
        kl = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
        total = error + ops.mean(ops.sum(kl, axis=1))
        self.loss_tracker.update_state(total)
        return total


def build_model():
    inputs = keras.Input((6,))
    x = layers.Dense(4, activation="relu")(inputs)
    mean, log_variance = layers.Dense(2, name="mean")(x), layers.Dense(2, name="log_variance")(x)
    encoder = keras.Model(inputs, [mean, log_variance, Sampling()([mean, log_variance])])
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(4), layers.Dense(6)])
    return VAE(encoder, decoder)
