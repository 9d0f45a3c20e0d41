import keras
from keras import layers, ops


# differs: std
def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(4, kernel_initializer="zeros", name="zero")(inputs)
    return keras.Model(inputs, ops.std(x, axis=-1, keepdims=True) + inputs)
