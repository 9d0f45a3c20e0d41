import keras
from keras import layers, ops


# differs: top_k
def build_model():
    inputs = keras.Input((6,))
    x = layers.Dense(6, kernel_initializer="zeros", name="zero")(inputs)
    values, places = ops.top_k(x, 2)
    return keras.Model(inputs, values + inputs[:, :2])
