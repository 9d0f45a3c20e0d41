"""The networks and samples that are measured, on the backend of this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models.models import boston_regressor

Rows = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Network:
    """A network and how many samples of which shape it is trained on."""

    build: Any
    shape: tuple[int, ...]
    samples: int
    batch_size: int
    epochs: int

    def rows(self) -> Rows:
        """Random inputs, and a target that can be learnt."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=(self.samples, *self.shape)).astype(np.float32)
        return x, x.reshape(self.samples, -1).mean(axis=1)


def _cnn() -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def _lstm() -> Any:
    return keras.Sequential([keras.Input((12, 8)), keras.layers.LSTM(16), keras.layers.Dense(1)])


NETWORKS = {
    "dense, batch 32": Network(boston_regressor, (13,), 2048, 32, 5),
    "dense, batch 128": Network(boston_regressor, (13,), 4096, 128, 5),
    "dense, batch 512": Network(boston_regressor, (13,), 16384, 512, 5),
    "CNN, batch 32": Network(_cnn, (16, 16, 1), 1024, 32, 3),
    "LSTM, batch 32": Network(_lstm, (12, 8), 1024, 32, 3),
}
