"""Recommenders made of keras-rs."""

from __future__ import annotations

import keras
import keras_rs


def cross() -> keras.Model:
    """Deep and cross network on dense features."""
    x = keras.Input((6,), name="features")
    crossed = keras_rs.layers.FeatureCross()(x, x)
    crossed = keras_rs.layers.FeatureCross(projection_dim=3)(x, crossed)
    return keras.Model(x, keras.layers.Dense(1)(crossed))


def dot() -> keras.Model:
    """DLRM: embeddings and dense features, and all dot products of pairs."""
    ids = [keras.Input((), name=name, dtype="int32") for name in ("user", "item")]
    dense = keras.Input((4,), name="numbers")
    vectors = [keras.layers.Embedding(20, 8)(each) for each in ids]
    vectors.append(keras.layers.Dense(8, activation="relu")(dense))
    pairs = keras_rs.layers.DotInteraction(self_interaction=True)(vectors)
    return keras.Model([*ids, dense], keras.layers.Dense(1)(pairs))


def reduced() -> keras.Model:
    """A bag of ids, weighted, reduced to one vector."""
    ids = keras.Input((5,), dtype="int32")
    bag = keras_rs.layers.EmbedReduce(20, 8, combiner="mean")(ids)
    return keras.Model(ids, keras.layers.Dense(1)(bag))
