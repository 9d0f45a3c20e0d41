"""Layers and models of their own kind, as people write them, for the second zoo."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

registered = keras.saving.register_keras_serializable(package="second_zoo")


@registered
class Patches(layers.Layer):  # type: ignore[misc]
    """An image (rows, columns, channels) as a row of square patches, by reshaping."""

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def call(self, image: Any) -> Any:
        """(batch, H, W, C) -> (batch, patches, size * size * C)."""
        side = self.size
        _, height, width, channels = image.shape
        rows, columns = height // side, width // side
        x = ops.reshape(image, (-1, rows, side, columns, side, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, rows * columns, side * side * channels))

    def get_config(self) -> dict[str, Any]:
        """The size of a patch."""
        return {**super().get_config(), "size": self.size}


@registered
class Positions(layers.Layer):  # type: ignore[misc]
    """Adds a learned vector for each position."""

    def build(self, shape: Any) -> None:
        """One vector for each of the steps."""
        self.table = self.add_weight(shape=shape[1:], name="table")

    def call(self, x: Any) -> Any:
        """(batch, steps, width) -> the same."""
        return x + self.table


@registered
class CausalAttention(layers.Layer):  # type: ignore[misc]
    """A block of a small GPT."""

    def __init__(self, heads: int, width: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.heads, self.width = heads, width
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.first, self.second = layers.LayerNormalization(), layers.LayerNormalization()
        self.wide, self.narrow = layers.Dense(2 * width, "gelu"), layers.Dense(width)

    def build(self, shape: Any) -> None:
        """Every part takes the same shape."""
        self.attention.build(shape, shape)
        for part in (self.first, self.second, self.wide):
            part.build(shape)
        self.narrow.build((*shape[:-1], 2 * self.width))

    def call(self, x: Any) -> Any:
        """(batch, steps, width) -> the same."""
        y = self.first(x)
        x = x + self.attention(y, y, use_causal_mask=True)
        return x + self.narrow(self.wide(self.second(x)))

    def get_config(self) -> dict[str, Any]:
        """Heads and width."""
        return {**super().get_config(), "heads": self.heads, "width": self.width}


@registered
class TwoTowers(keras.Model):  # type: ignore[misc]
    """A subclassed model with keyword inputs: ids and features."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.embed, self.dense = layers.Embedding(40, 6), layers.Dense(6)
        self.out = layers.Dense(1)

    def build(self, ids_shape: Any, features_shape: Any) -> None:
        """Both towers give six numbers."""
        self.embed.build(ids_shape)
        self.dense.build(features_shape)
        self.out.build((None, 6))

    def call(self, ids: Any, features: Any) -> Any:
        """(batch, steps) and (batch, features) -> (batch, 1)."""
        return self.out(ops.mean(self.embed(ids), axis=1) * self.dense(features))


@registered
class DictModel(keras.Model):  # type: ignore[misc]
    """A subclassed model that takes a dict and gives one."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.left, self.right = layers.Dense(4), layers.Dense(4)

    def build(self, shapes: Any) -> None:
        """One Dense for each input."""
        self.left.build(shapes["left"])
        self.right.build(shapes["right"])

    def call(self, inputs: Any) -> Any:
        """{"left", "right"} -> {"sum", "product"}."""
        left, right = self.left(inputs["left"]), self.right(inputs["right"])
        return {"sum": left + right, "product": left * right}


@registered
class Sampling(layers.Layer):  # type: ignore[misc]
    """Draws from a normal distribution, as a variational autoencoder does."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs: Any) -> Any:
        """(mean, log of the deviation) -> a draw."""
        mean, spread = inputs
        return mean + ops.exp(spread) * keras.random.normal(
            ops.shape(mean), seed=self.seed_generator
        )
