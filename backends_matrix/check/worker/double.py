"""What makes a process a judge: float64 throughout, whatever the model asks for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras

from backends_matrix.judge.double_precision import compute_in_float64
from portable_models._backend import current

_TYPED = (
    "arange",
    "array",
    "cast",
    "convert_to_tensor",
    "empty",
    "eye",
    "full",
    "full_like",
    "identity",
    "linspace",
    "ones",
    "ones_like",
    "tri",
    "zeros",
    "zeros_like",
)
"""Operations that are told a type: a judge that computes partly in float32 would judge nothing."""

_ROUGHER = ("float32", "float16", "bfloat16")


@functools.cache
def judge_in_float64() -> None:
    """Make this process compute in float64 for good; to be called before anything is computed."""
    current().allow_double()
    compute_in_float64()
    for name in _TYPED:
        setattr(keras.ops, name, _widened(getattr(keras.ops, name)))


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    names = list(inspect.signature(function).parameters)
    place = names.index("dtype")

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        if len(given) > place:
            given = (*given[:place], _wide(given[place]), *given[place + 1 :])
        elif "dtype" in named:
            named["dtype"] = _wide(named["dtype"])
        return function(*given, **named)

    return call


def _wide(dtype: Any) -> Any:
    if dtype is None:
        return None
    return "float64" if keras.backend.standardize_dtype(dtype) in _ROUGHER else dtype
