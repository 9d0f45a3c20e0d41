import keras
from keras import layers, ops


def build_model():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True)(ids)
    x = layers.Bidirectional(layers.GRU(4))(x)
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return model
