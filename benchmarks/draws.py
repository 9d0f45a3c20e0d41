"""Print digests of portable random draws on the backend and device of this process, on the last line."""

from __future__ import annotations

import hashlib
from typing import Any

import keras
import numpy as np

from portable_models.random import portable_random
from portable_models.random.digest import dropout_mask_digest, random_bits_digest


def seeded() -> Any:
    """A seed generator that begins anew."""
    return keras.random.SeedGenerator(3)


def draw() -> list[str]:
    """Digests of words, masks, numbers and initial weights."""
    layers, random = keras.layers, keras.random
    with portable_random(1):
        noisy = keras.Sequential(
            [keras.Input((64,)), layers.Dropout(0.5), layers.GaussianNoise(0.1)]
        )
        drawn = [
            random.uniform((999, 7), -1, 1, seed=seeded()),
            random.normal((999, 7), 0.3, 0.1, seed=seeded()),
            random.truncated_normal((999, 7), seed=seeded()),
            random.randint((999,), 0, 77, seed=seeded()),
            random.shuffle(keras.ops.arange(999), seed=seeded()),
            keras.initializers.Orthogonal(seed=3)((40, 30)),
            keras.initializers.Orthogonal(seed=seeded())((40, 30)),
        ]
        arrays = [np.ascontiguousarray(keras.ops.convert_to_numpy(each)) for each in drawn]
        return [
            random_bits_digest(5),
            dropout_mask_digest(noisy),
            *(hashlib.sha256(each.tobytes()).hexdigest() for each in arrays),
        ]


if __name__ == "__main__":
    print(" ".join(digest[:10] for digest in draw()))
