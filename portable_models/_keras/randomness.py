"""The parts of Keras that draw random numbers, and where Keras keeps its global seed generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from keras.src import backend
from keras.src.backend.common import global_state
from keras.src.layers.preprocessing.data_layer import DataLayer
from keras.src.layers.preprocessing.image_preprocessing.aug_mix import AugMix
from keras.src.random import seed_generator
from keras.src.random.seed_generator import SeedGenerator, global_seed_generator

__all__ = [
    "BACKEND_RANDOM",
    "SEED_GENERATOR",
    "AugMix",
    "DataLayer",
    "SeedGenerator",
    "get_generator_of_data_layer",
    "get_global_seed_state",
    "global_seed_generator",
    "own_global_generator",
]

BACKEND_RANDOM: Final[ModuleType] = backend.random
"""The running backend's random module: initializers and layers draw from its functions."""

SEED_GENERATOR: Final[ModuleType] = seed_generator
"""The module in which ``SeedGenerator`` looks up ``make_default_seed``."""

get_generator_of_data_layer: Final = DataLayer._get_seed_generator
"""Keras's own way to a preprocessing layer's generator, while another one stands in its place."""

# Keras 3.12 writes the name where it uses it; 3.13 and later have a constant.
_GLOBAL: Final[str] = getattr(seed_generator, "GLOBAL_SEED_GENERATOR", "global_seed_generator")


@contextmanager
def own_global_generator(name: str) -> Iterator[None]:
    """Give the calling thread a new global seed generator inside, and its earlier one again after.

    Args:
        name: of the new generator. Keras counts the generators whose names it makes up.
    """
    missing = object()
    # Keras keeps such attributes for each thread, and clear_session() begins anew with none.
    before: Any = vars(global_state.GLOBAL_STATE_TRACKER).get(_GLOBAL, missing)
    own = seed_generator.SeedGenerator(name=name)
    global_state.set_global_attribute(_GLOBAL, own)
    try:
        yield
    finally:
        if before is missing:
            vars(global_state.GLOBAL_STATE_TRACKER).pop(_GLOBAL, None)
        else:
            global_state.set_global_attribute(_GLOBAL, before)


def get_global_seed_state() -> Any:
    """Return the variable that holds the state of the global seed generator.

    Needed to hide its value while a layer is traced, so that a draw without a seed becomes no constant.
    The public ``keras.utils.set_random_seed`` resets the generator; nothing public returns it
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/random/seed_generator.py).
    """
    return global_seed_generator().state
