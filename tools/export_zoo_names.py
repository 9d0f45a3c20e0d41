"""The names of the zoo's models and what each stands for, free of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "mlp": "MLP with Dropout",
        "cnn": "CNN with BatchNormalization and pooling",
        "lstm": "two LSTM layers over token ids",
        "gru": "GRU over token ids",
        "bidirectional": "bidirectional LSTM and GRU",
        "attention": "MultiHeadAttention block",
        "several": "two inputs, two outputs",
        "custom": "custom layer on keras.ops",
        "imdb": "the IMDB classifier",
        "boston": "the Boston regressor",
    }
)
"""Name -> what it is, in the order of the table. The builders are in ``export_zoo.py``."""
