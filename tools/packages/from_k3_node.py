"""Graph networks of k3-node, on dense adjacency matrices."""

from __future__ import annotations

from typing import Any

import keras
from k3_node.layers import DenseGATConv, DenseGCNConv, DenseSAGEConv


@keras.saving.register_keras_serializable(package="portable_checks")
class OnGraphs(keras.Model):
    """One layer on graphs of 5 nodes with 4 features, and their mean.

    It is subclassed because the layers cannot be called on symbolic inputs: their
    ``compute_output_shape(input_shape)`` is given a shape for each argument and takes one.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.head = keras.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        """Features and adjacency matrices to two numbers a graph."""
        x, edges = inputs
        return self.head(keras.ops.mean(keras.ops.relu(self.layer(x, edges)), axis=1))

    def get_config(self) -> dict[str, Any]:
        """Configuration with the layer in it."""
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OnGraphs:
        """A model of this configuration."""
        return cls(keras.saving.deserialize_keras_object(config.pop("layer")), **config)


def gcn() -> keras.Model:
    """Normalised sums over neighbours."""
    return OnGraphs(DenseGCNConv(4, 8))


def sage() -> keras.Model:
    """Means over neighbours."""
    return OnGraphs(DenseSAGEConv(4, 8))


def gat() -> keras.Model:
    """Attention over neighbours."""
    return OnGraphs(DenseGATConv(4, 8, heads=2))


def example_inputs(rng: Any, batch: int) -> list[Any]:
    """Features, and matrices of zeros and ones."""
    edges = rng.random((batch, 5, 5)) < 0.5
    return [rng.normal(size=(batch, 5, 4)).astype("float32"), edges.astype("float32")]
