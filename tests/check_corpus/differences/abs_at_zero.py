import keras
from keras import layers, ops


# differs: absolute, jax
def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(4, kernel_initializer="zeros", name="zero")(inputs)
    return keras.Model(inputs, layers.Activation("linear")(ops.abs(x) + inputs))
