"""Models of kerasfactory."""

from __future__ import annotations

import keras
from kerasfactory.layers import GatedResidualNetwork
from kerasfactory.models import BaseFeedForwardModel, TimeMixer, TSMixer


def _called(model: keras.Model, inputs: object) -> keras.Model:
    """The model with its weights made: it makes them in its first call."""
    model(inputs)
    return model


def ts_mixer() -> keras.Model:
    """Mixing over time and features, with reversible normalization."""
    model = TSMixer(seq_len=12, pred_len=4, n_features=3, n_blocks=2, ff_dim=8)
    return _called(model, keras.ops.zeros((1, 12, 3)))


def time_mixer() -> keras.Model:
    """Seasons and trends at two resolutions."""
    model = TimeMixer(
        seq_len=12, pred_len=4, n_features=3, d_model=8, d_ff=8, e_layers=1, moving_avg=5
    )
    return _called(model, keras.ops.zeros((1, 12, 3)))


def feed_forward() -> keras.Model:
    """One input for each feature, in a dict."""
    model = BaseFeedForwardModel(feature_names=["age", "size"], hidden_units=[8, 4])
    return _called(model, {name: keras.ops.zeros((1, 1)) for name in ("age", "size")})


def residual() -> keras.Model:
    """A gated residual network."""
    x = keras.Input((6,))
    return keras.Model(x, keras.layers.Dense(1)(GatedResidualNetwork(units=8)(x)))
