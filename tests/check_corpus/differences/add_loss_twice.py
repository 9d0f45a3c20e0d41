import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Penalty(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * ops.mean(ops.square(x)))
        return x


# differs: penalty, jax
def build_model():
    shared = Penalty(name="penalty")
    inputs = keras.Input((4,))
    x = shared(layers.Dense(3, name="first")(inputs))
    x = shared(layers.Dense(3, name="second")(x))
    return keras.Model(inputs, layers.Dense(1)(x))
