"""Variables that a forward pass changes and no gradient: running means and the like."""

from __future__ import annotations

from typing import Any

import keras


def float_statistics(model: Any) -> list[Any]:
    """The floating-point variables among ``model.non_trainable_variables``."""
    return [
        each
        for each in model.non_trainable_variables
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(each.dtype))
    ]


def seed_states(model: Any) -> list[Any]:
    """The states of the model's seed generators, and other integers that it keeps."""
    known = {id(each) for each in float_statistics(model)}
    return [each for each in model.non_trainable_variables if id(each) not in known]
