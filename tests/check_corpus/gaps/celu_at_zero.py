"""celu as an operation of a Functional model, of units that begin at zero."""

import keras
from keras import layers, ops


def build_model():
    inputs = keras.Input((5, 3))
    x = layers.ZeroPadding1D(1)(layers.Dense(3, name="dense")(inputs))
    zero = layers.EinsumDense("btc,cd->btd", (None, 3), kernel_initializer="zeros", name="zero")
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(ops.celu(zero(x))))


# named: gradient of celu
