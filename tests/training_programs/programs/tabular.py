"""Tables: columns by name, categories, several targets, rows that count differently."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .program import Programs
from .samples import regression, rng

PROGRAMS = Programs("tabular", "Keras code examples, structured data")

KINDS = np.array(["fixed", "normal", "reversible"])


def table(rows=36):
    """Columns of a small heart-disease table, and the target."""
    draw = rng(12)
    columns = {
        "age": draw.integers(29, 77, rows).astype("int64"),
        "oldpeak": draw.gamma(1.0, 1.0, rows),
        "sex": draw.integers(0, 2, rows).astype("bool"),
        "thal": KINDS[draw.integers(0, 3, rows)],
    }
    return columns, ((columns["age"] > 52) ^ columns["sex"]).astype("float32")


def numeric_features():
    """Strings are looked up before the training, as numbers they go in."""
    columns, y = table()
    columns["thal"] = np.searchsorted(KINDS, columns["thal"]).astype("int32")
    return {name: column[:, None] for name, column in columns.items()}, y


def with_preprocessing():
    """Normalization (adapted) and CategoryEncoding are layers of the model; inputs go by name."""
    columns, _ = numeric_features()
    inputs = {
        "age": keras.Input((1,), name="age", dtype="int64"),
        "oldpeak": keras.Input((1,), name="oldpeak"),
        "sex": keras.Input((1,), name="sex"),
        "thal": keras.Input((1,), name="thal", dtype="int32"),
    }
    age, oldpeak = layers.Normalization(), layers.Normalization(axis=None)
    age.adapt(columns["age"].astype("float32"))
    oldpeak.adapt(columns["oldpeak"].astype("float32"))
    encoded = [
        age(inputs["age"]),
        oldpeak(inputs["oldpeak"]),
        inputs["sex"],
        layers.CategoryEncoding(num_tokens=3, output_mode="one_hot")(inputs["thal"]),
    ]
    hidden = layers.Dense(8, activation="relu")(layers.Concatenate()(encoded))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.5)(hidden)))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


@PROGRAMS.add(with_preprocessing, notes="a dict of int64, float64, bool and int32 columns")
def dict_with_preprocessing_inside(folder):
    x, y = numeric_features()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8, "validation_split": 0.2}


def of_encoded():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


@PROGRAMS.add(of_encoded, notes="Normalization and StringLookup run before the training")
def preprocessing_outside(folder):
    columns, y = table()
    look_up = layers.StringLookup(
        vocabulary=KINDS.tolist(), output_mode="one_hot", num_oov_indices=0
    )
    scale = layers.Normalization()
    numbers = np.stack([columns[name] for name in ("age", "oldpeak", "sex")], 1).astype("float32")
    scale.adapt(numbers)
    thal = keras.ops.convert_to_numpy(look_up(columns["thal"]))
    x = np.concatenate([keras.ops.convert_to_numpy(scale(numbers)), thal], axis=1)
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8}


def with_string_input():
    age, thal = keras.Input((1,), name="age"), keras.Input((1,), name="thal", dtype="string")
    look_up = layers.StringLookup(vocabulary=KINDS.tolist(), output_mode="one_hot")
    hidden = layers.Concatenate()([layers.Rescaling(0.01)(age), look_up(thal)])
    model = keras.Model({"age": age, "thal": thal}, layers.Dense(1, "sigmoid")(hidden))
    model.compile("adam", "binary_crossentropy")
    return model


@PROGRAMS.add(
    with_string_input,
    backends=("tensorflow",),
    notes="strings go into the model: TensorFlow alone has them",
)
def strings_into_the_model(folder):
    import tensorflow as tf

    columns, y = table()
    # Keras reads strings as tensors only.
    x = {
        "age": columns["age"].astype("float32")[:, None],
        "thal": tf.constant(columns["thal"][:, None]),
    }
    return {"x": x, "y": y, "epochs": 2, "batch_size": 8}


class WideAndDeep(keras.Model):
    """Subclassed, from the book: two inputs, an output and an auxiliary one."""

    def __init__(self, units=6, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.norm_wide, self.norm_deep = layers.Normalization(), layers.Normalization()
        self.hidden1 = layers.Dense(units, activation=activation)
        self.hidden2 = layers.Dense(units, activation=activation)
        self.main_output, self.aux_output = layers.Dense(1), layers.Dense(1)

    def call(self, inputs):
        wide, deep = inputs
        hidden = self.hidden2(self.hidden1(self.norm_deep(deep)))
        joined = layers.concatenate([self.norm_wide(wide), hidden])
        return self.main_output(joined), self.aux_output(hidden)


def wide_and_deep():
    x, _ = regression()
    model = WideAndDeep(name="wide_and_deep")
    model.norm_wide.adapt(x[:, :3])
    model.norm_deep.adapt(x[:, 2:])
    optimizer = keras.optimizers.Adam(learning_rate=1e-3)
    model.compile(
        loss=["mse", "mse"],
        loss_weights=[0.9, 0.1],
        optimizer=optimizer,
        metrics=[["RootMeanSquaredError"], ["RootMeanSquaredError"]],
    )
    return model


@PROGRAMS.add(
    wide_and_deep,
    source="Hands-On Machine Learning, wide and deep network",
    notes="tuples of inputs and of targets; unbuilt until fit",
)
def wide_and_deep_subclassed(folder):
    x, y = regression()
    held_out = ((x[:9, :3], x[:9, 2:]), (y[:9], y[:9]))
    return {
        "x": (x[:, :3], x[:, 2:]),
        "y": (y, y),
        "epochs": 3,
        "batch_size": 8,
        "validation_data": held_out,
    }
