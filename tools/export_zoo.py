"""The models that every target is proven on: one for each kind of layer that is hard to carry.

    python tools/export_zoo.py FOLDER NAME...

trains models under the backend of ``KERAS_BACKEND``, writes ``FOLDER/NAME.keras`` and prints each name.
What each model stands for is in ``export_zoo_names.py``, which needs no Keras.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import layers

from portable_models import models
from portable_models.export import loading
from portable_models.export.inspection import view
from portable_models.export.probes import probes


@keras.saving.register_keras_serializable(package="export_zoo")
class GatedScale(layers.Layer):  # type: ignore[misc]
    """A layer of one's own on ``keras.ops``: inputs times a learned gate of their root mean square.

    Args:
        slope: steepness of the gate.
    """

    def __init__(self, slope: float = 1.5, **settings: Any) -> None:
        super().__init__(**settings)
        self.slope = slope

    def build(self, input_shape: Any) -> None:
        """Make one weight for each feature, shape ``(features,)``."""
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        """Shape ``(rows, features)`` to the same."""
        power = keras.ops.mean(keras.ops.square(inputs), axis=-1, keepdims=True)
        gate = keras.ops.sigmoid(self.slope * keras.ops.sqrt(power + 1e-3))
        return inputs * gate * self.gain

    def get_config(self) -> dict[str, Any]:
        """The settings."""
        return {**super().get_config(), "slope": self.slope}


def _mlp() -> Any:
    return keras.Sequential(
        [
            keras.Input((8,), name="features"),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax", name="species"),
        ],
        name="mlp",
    )


def _cnn() -> Any:
    inputs = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(12, 3, strides=2, activation="gelu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(4, name="logits")(x), name="cnn")


def _recurrent(name: str, *stack: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((10,), dtype="int32", name="tokens"),
            layers.Embedding(50, 8),
            *stack,
            layers.Dense(1, activation="sigmoid", name="probability"),
        ],
        name=name,
    )


def _attention() -> Any:
    inputs = keras.Input((9, 16), name="sequence")
    x = layers.MultiHeadAttention(2, 8)(inputs, inputs)
    x = layers.LayerNormalization()(layers.Add()([inputs, x]))
    y = layers.Dense(16)(layers.Dense(32, activation="gelu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    outputs = layers.Dense(2, name="scores")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, outputs, name="attention")


def _several() -> Any:
    numbers = keras.Input((6,), name="numbers")
    tokens = keras.Input((7,), dtype="int32", name="tokens")
    words = layers.GlobalAveragePooling1D()(layers.Embedding(30, 8)(tokens))
    x = layers.Dense(12, activation="tanh")(layers.Concatenate()([numbers, words]))
    return keras.Model(
        {"numbers": numbers, "tokens": tokens},
        {
            "amount": layers.Dense(1, name="amount")(x),
            "kind": layers.Dense(3, activation="softmax", name="kind")(x),
        },
        name="several",
    )


def _custom() -> Any:
    inputs = keras.Input((8,), name="features")
    x = GatedScale(name="gated_scale")(layers.Dense(12, activation="silu")(inputs))
    return keras.Model(inputs, layers.Dense(2, name="outputs")(x), name="custom")


BUILDERS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "mlp": _mlp,
        "cnn": _cnn,
        "lstm": lambda: _recurrent("lstm", layers.LSTM(8, return_sequences=True), layers.LSTM(6)),
        "gru": lambda: _recurrent("gru", layers.GRU(8)),
        "bidirectional": lambda: _recurrent(
            "bidirectional",
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.Bidirectional(layers.GRU(5), merge_mode="sum"),
        ),
        "attention": _attention,
        "several": _several,
        "custom": _custom,
        "imdb": models.imdb_classifier,
        "boston": models.boston_regressor,
    }
)

ROWS, EPOCHS, SEED = 64, 2, 3


def trained(name: str) -> Any:
    """A model of the zoo after a short training, from a fixed seed and fixed data.

    Trained, so that no bias is still zero and the statistics of BatchNormalization are not those of a new
    layer: either would hide an export that loses them.

    Args:
        name: a key of :data:`BUILDERS`.
    """
    keras.utils.set_random_seed(SEED)
    model = BUILDERS[name]()
    seen = view(model)
    inputs = next(p for p in probes(seen.signature, batch=ROWS, seed=SEED) if p.batch == ROWS)
    rng = np.random.default_rng(SEED)
    targets = [
        rng.random((ROWS, *(size or 1 for size in tensor.shape[1:]))).astype(np.float32)
        for tensor in seen.signature.outputs
    ]
    y = seen.named(targets) if isinstance(model.output, dict) else targets[0]
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    model.fit(seen.pack(inputs.inputs), y, epochs=EPOCHS, batch_size=16, shuffle=False, verbose=0)
    return model


def main(folder: str, *names: str) -> None:
    """Train models and save each as ``folder/NAME.keras``."""
    for name in names:
        loading.save(trained(name), Path(folder) / f"{name}.keras")
        print(name, flush=True)


if __name__ == "__main__":
    # A class of this file is saved under the name by which an export imports it.
    sys.modules["export_zoo"] = sys.modules["__main__"]
    main(*sys.argv[1:])
