"""Networks of bayesflow as models."""

from __future__ import annotations

import bayesflow as bf
import keras


def _wrapped(layer: keras.Layer, shape: tuple[int, ...]) -> keras.Model:
    x = keras.Input(shape)
    return keras.Model(x, layer(x))


def mlp() -> keras.Model:
    """Residual dense blocks with mish."""
    return _wrapped(bf.networks.MLP(widths=(8, 8)), (5,))


def deep_set() -> keras.Model:
    """A summary of a set of observations."""
    network = bf.networks.DeepSet(
        summary_dim=4, embed_dim=8, depth=1, mlp_widths=(8,), num_heads=2, num_seeds=2
    )
    return _wrapped(network, (6, 3))


def set_transformer() -> keras.Model:
    """Attention over a set."""
    network = bf.networks.SetTransformer(
        summary_dim=4, embed_dims=(8, 8), num_heads=(2, 2), num_seeds=2
    )
    return _wrapped(network, (6, 3))


def time_series() -> keras.Model:
    """Convolutions and two GRUs, one of which skips steps."""
    network = bf.networks.TimeSeriesNetwork(
        summary_dim=4, filters=8, recurrent_dim=8, skip_steps=2, groups=None
    )
    return _wrapped(network, (8, 3))
