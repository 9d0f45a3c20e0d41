import keras
from keras import layers, ops


# differs: leaky
def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(4, kernel_initializer="zeros", name="zero")(inputs)
    return keras.Model(inputs, layers.LeakyReLU(0.3, name="leaky")(x) + inputs)
