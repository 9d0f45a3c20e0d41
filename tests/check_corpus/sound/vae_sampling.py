import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


@keras.saving.register_keras_serializable(package="corpus")
class Divergence(layers.Layer):
    def call(self, inputs):
        mean, log_variance = inputs
        loss = -0.5 * ops.mean(1 + log_variance - ops.square(mean) - ops.exp(log_variance))
        self.add_loss(loss)
        return mean


def build_model():
    inputs = keras.Input((8,))
    x = layers.Dense(6, activation="relu")(inputs)
    mean, log_variance = layers.Dense(2)(x), layers.Dense(2)(x)
    mean = Divergence()([mean, log_variance])
    z = Sampling()([mean, log_variance])
    return keras.Model(inputs, layers.Dense(8)(layers.Dense(6, activation="relu")(z)))
