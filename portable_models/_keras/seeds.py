"""The seed generator of layers and functions that have no seed of their own."""

from __future__ import annotations

from typing import Any

from keras.src.random.seed_generator import global_seed_generator


def get_global_seed_state() -> Any:
    """Return the variable that holds the state of the global seed generator.

    Needed to hide its value while a layer is traced, so that a draw without a seed becomes no constant.
    The public ``keras.utils.set_random_seed`` resets the generator; nothing public returns it
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/random/seed_generator.py).
    """
    return global_seed_generator().state
