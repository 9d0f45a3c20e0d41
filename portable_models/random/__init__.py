"""Random numbers that are the same on every backend, and what proves it."""

from portable_models.random.digest import dropout_mask_digest, random_bits_digest
from portable_models.random.portable import portable_random
from portable_models.random.threefry import threefry, threefry_numpy

__all__ = [
    "dropout_mask_digest",
    "portable_random",
    "random_bits_digest",
    "threefry",
    "threefry_numpy",
]
