"""Several targets, classes that are rare, ratings of pairs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .program import Programs
from .samples import classes, regression, rng

PROGRAMS = Programs("targets", "Keras guides and code examples")


def multi_task():
    """A dict of outputs with losses, weights and metrics by name."""
    title, tags = keras.Input((5,), name="title"), keras.Input((4,), name="tags")
    x = layers.Dense(8, "relu")(layers.concatenate([title, tags]))
    outputs = {
        "priority": layers.Dense(1, activation="sigmoid", name="priority")(x),
        "department": layers.Dense(3, name="department")(x),
    }
    model = keras.Model({"title": title, "tags": tags}, outputs)
    model.compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss={
            "priority": keras.losses.BinaryCrossentropy(),
            "department": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
        metrics={"priority": ["mae", "AUC"], "department": ["accuracy"]},
    )
    return model


def tickets(rows=40):
    x, department = classes(rows)
    tags = (rng(13).random((rows, 4)) < 0.5).astype("float32")
    y = {"priority": tags.max(axis=1, keepdims=True) * 0.9, "department": department[:, None]}
    return {"title": x, "tags": tags}, y


@PROGRAMS.add(multi_task, source="Keras guide, the functional API", notes="only whole batches")
def several_outputs_as_a_dict(folder):
    x, y = tickets()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8}


@PROGRAMS.add(multi_task, notes="an uneven last batch, and weights for each output's samples")
def several_outputs_uneven(folder):
    x, y = tickets(37)
    weights = {
        "priority": np.linspace(0, 2, 37).astype("float32"),
        "department": np.ones(37, "float32"),
    }
    held_out = ({k: v[:9] for k, v in x.items()}, {k: v[:9] for k, v in y.items()})
    return {
        "x": x,
        "y": y,
        "sample_weight": weights,
        "epochs": 2,
        "batch_size": 8,
        "validation_data": held_out,
    }


def imbalanced():
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, "relu"),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ]
    )
    metrics = [
        keras.metrics.FalseNegatives(name="fn"),
        keras.metrics.FalsePositives(name="fp"),
        keras.metrics.TrueNegatives(name="tn"),
        keras.metrics.TruePositives(name="tp"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ]
    model.compile(
        optimizer=keras.optimizers.Adam(1e-2), loss="binary_crossentropy", metrics=metrics
    )
    return model


@PROGRAMS.add(
    imbalanced,
    source="Keras code examples, imbalanced classification: credit card fraud detection",
    notes="class weights, and counts that must be those of the epoch",
)
def imbalanced_with_class_weight(folder):
    x, _ = regression(40)
    y = (x[:, :1] > 1).astype("float32")
    weight = {0: 1.0 / max(1, (y == 0).sum()), 1: 1.0 / max(1, (y == 1).sum())}
    return {"x": x, "y": y, "batch_size": 8, "epochs": 3, "class_weight": weight}


class Recommender(keras.Model):
    """Collaborative filtering by embeddings, subclassed."""

    def __init__(self, users, movies, width):
        super().__init__()
        penalty = keras.regularizers.l2(1e-6)
        self.user = layers.Embedding(users, width, embeddings_regularizer=penalty)
        self.movie = layers.Embedding(movies, width, embeddings_regularizer=penalty)
        self.user_bias, self.movie_bias = layers.Embedding(users, 1), layers.Embedding(movies, 1)

    def call(self, inputs):
        user, movie = inputs[:, 0], inputs[:, 1]
        match = keras.ops.sum(self.user(user) * self.movie(movie), axis=1, keepdims=True)
        return keras.ops.sigmoid(match + self.user_bias(user) + self.movie_bias(movie))


def recommender():
    model = Recommender(9, 12, 4)
    model.compile(loss=keras.losses.BinaryCrossentropy(), optimizer=keras.optimizers.SGD(0.1))
    return model


@PROGRAMS.add(recommender, notes="pairs of ids, float64 ratings, repeated ids")
def collaborative_filtering(folder):
    draw = rng(14)
    x = np.stack([draw.integers(0, 9, 45), draw.integers(0, 12, 45)], axis=1)
    return {"x": x, "y": draw.random(45), "batch_size": 10, "epochs": 3, "validation_split": 0.1}
