import keras
from keras import layers, ops


def build_model():
    a = keras.Input((4,), name="a")
    b = keras.Input((3,), name="b")
    x = layers.concatenate([layers.Dense(5, activation="tanh")(a), b])
    outputs = {"value": layers.Dense(1)(x), "kind": layers.Dense(3, activation="softmax")(x)}
    model = keras.Model({"a": a, "b": b}, outputs)
    model.compile("adam", {"value": "mse", "kind": "sparse_categorical_crossentropy"})
    return model


def example_targets(rng, batch):
    return {
        "value": rng.normal(size=(batch, 1)).astype("float32"),
        "kind": rng.integers(0, 3, batch),
    }
