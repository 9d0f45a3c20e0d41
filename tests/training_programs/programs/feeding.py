"""Data as people have them: arrays of all kinds, frames, tensors, data sets, loaders, generators."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .program import Programs
from .samples import binary, images, regression

PROGRAMS = Programs("feeding", "Keras API documentation, Model.fit; GitHub issues on inputs")


def small(loss="mse", features=5, outputs=1, activation=None):
    model = keras.Sequential(
        [keras.Input((features,)), layers.Dense(6, "relu"), layers.Dense(outputs, activation)]
    )
    model.compile("sgd", loss, metrics=["mae"])
    return model


def once(x, y=None, **more):
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8} | more


@PROGRAMS.add(small)
def float64(folder):
    x, y = regression()
    return once(x.astype("float64"), y.astype("float64"), validation_split=0.2)


def integers_only():
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int64"),
            layers.Embedding(9, 3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    return model


@PROGRAMS.add(integers_only, notes="int64 features and targets")
def int64(folder):
    ids = np.arange(148).reshape(37, 4) % 9
    return once(ids, ids.sum(1))


def of_images():
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


@PROGRAMS.add(of_images, notes="uint8 pixels and int64 labels; no Input dtype")
def uint8_images(folder):
    x, y = images()
    return once(x, y, validation_data=(x[:9], y[:9]))


@PROGRAMS.add(lambda: small("binary_crossentropy", activation="sigmoid"))
def bool_features_and_targets(folder):
    x, y = binary()
    return once(x > 0, y > 0.5)


@PROGRAMS.add(small, notes="float16 features and a column of targets that has one dimension")
def float16_and_flat_targets(folder):
    x, y = regression()
    return once(x.astype("float16"), y[:, 0])


def by_name():
    inputs = [keras.Input((5,), name="one"), keras.Input((5,), name="two")]
    model = keras.Model(inputs, layers.Dense(1)(layers.Subtract()(inputs)))
    model.compile("sgd", "mse")
    return model


@PROGRAMS.add(by_name, notes="a dict for inputs that are a list in the model, in another order")
def dict_for_a_list_of_inputs(folder):
    x, y = regression()
    return once({"two": x, "one": x[::-1].copy()}, y)


@PROGRAMS.add(by_name)
def list_of_arrays(folder):
    x, y = regression()
    return once([x, x[::-1].copy()], y, validation_split=0.3)


@PROGRAMS.add(small, notes="DataFrame and Series of pandas, with an index of their own")
def pandas_frame_and_series(folder):
    import pandas as pd

    x, y = regression()
    frame = pd.DataFrame(x, columns=list("abcde"), index=np.arange(37)[::-1])
    return once(frame, pd.Series(y[:, 0], index=frame.index), validation_data=(frame[:9], y[:9]))


@PROGRAMS.add(small, notes="tensors of the framework that runs")
def tensors_of_the_backend(folder):
    x, y = (keras.ops.convert_to_tensor(each) for each in regression())
    return once(x, y, validation_data=(x[:9], y[:9]))


@PROGRAMS.add(
    small, notes="batches, with a rest; its order is fixed", source="TensorFlow guides, tf.data"
)
def tf_data(folder):
    import tensorflow as tf

    x, y = regression()
    whole = tf.data.Dataset.from_tensor_slices((x, y))
    return {"x": whole.batch(8), "epochs": 3, "validation_data": whole.take(9).batch(4)}


@PROGRAMS.add(
    small, notes="endless, with steps; weights in the triple", source="TensorFlow guides, tf.data"
)
def tf_data_repeated_with_weights(folder):
    import tensorflow as tf

    x, y = regression()
    weights = np.linspace(0.5, 1.5, 37).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, y, weights)).repeat().batch(8).prefetch(2)
    return {"x": data, "epochs": 3, "steps_per_epoch": 3}


@PROGRAMS.add(
    small, notes="batches of tensors, unshuffled", source="PyTorch documentation, DataLoader"
)
def torch_data_loader(folder):
    import torch

    x, y = (torch.as_tensor(each) for each in regression())
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=8)
    return {"x": loader, "epochs": 3, "validation_data": (x[:9].numpy(), y[:9].numpy())}


class Batches(keras.utils.PyDataset):
    def __init__(self, size=8, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = regression()
        self.size = size

    def __len__(self):
        return (len(self.x) + self.size - 1) // self.size

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], self.y[rows]


@PROGRAMS.add(
    small, source="Stanford blog, data generator with Keras", notes="a PyDataset for both"
)
def py_dataset(folder):
    return {"x": Batches(), "epochs": 3, "validation_data": Batches(16)}


class Reordering(Batches):
    """Shuffles itself after every epoch, from a seed."""

    def __init__(self):
        super().__init__()
        self.draw = np.random.default_rng(5)

    def on_epoch_end(self):
        order = self.draw.permutation(len(self.x))
        self.x, self.y = self.x[order], self.y[order]


@PROGRAMS.add(small, notes="on_epoch_end shuffles; sizes of batches differ")
def py_dataset_that_shuffles_itself(folder):
    return {"x": Reordering(), "epochs": 3}


@PROGRAMS.add(small, notes="class weights with a PyDataset")
def py_dataset_with_class_weight(folder):
    data = Batches()
    data.y = (data.y > 0).astype("int32")
    return {"x": data, "epochs": 2, "class_weight": {0: 1.0, 1: 3.0}}


def endless():
    x, y = regression()
    while True:
        for start in range(0, 37, 8):
            yield x[start : start + 8], y[start : start + 8]


@PROGRAMS.add(
    small, source="Stack Overflow, fit_generator", notes="endless, with steps; goes on where it is"
)
def generator_with_steps(folder):
    return {"x": endless(), "steps_per_epoch": 5, "epochs": 3}


def finite():
    x, y = regression()
    for start in range(0, 36, 6):
        yield x[start : start + 6], y[start : start + 6]


@PROGRAMS.add(small, notes="as many batches as one epoch takes")
def generator_of_one_epoch(folder):
    return {"x": finite(), "epochs": 1}


@PROGRAMS.add(
    lambda: small(features=5),
    notes="a model without targets: what it gets is its target",
    name="x_as_y",
)
def same_array_twice(folder):
    x, _ = regression()
    return once(x, x[:, :1])
