"""Weights in both directions between a Keras model and the generated module's state_dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models.export.torch_module.source import Source, generate

Array = NDArray[Any]


def arrays_of(source: Source, floatx: str) -> dict[str, Array]:
    """The values of a generated module's weights, in Keras's layout, by state_dict key."""
    found = {}
    for key, value in source.weights.items():
        held = value.value if isinstance(value, keras.Variable) else value
        array = np.asarray(keras.ops.convert_to_numpy(held))
        floating = array.dtype.kind == "f"
        found[key] = np.array(array, dtype=floatx if floating else array.dtype, order="C")
    return found


def variable_paths(source: Source) -> dict[str, str | None]:
    """State_dict key -> path of the Keras variable, None for a constant."""
    return {
        key: value.path if isinstance(value, keras.Variable) else None
        for key, value in source.weights.items()
    }


def load_into_keras(state: Mapping[str, Any], model: Any) -> None:
    """Copy a (trained) state_dict of the generated module into the Keras model it was made from.

    Args:
        state: ``net.state_dict()``, or the arrays of a safetensors file, by key.
        model: the Keras model, or another build or load of it.

    Raises:
        ValueError: the keys or shapes are not those of this model; nothing has been changed then.
    """
    expected = {
        key: variable
        for key, variable in generate(model).weights.items()
        if isinstance(variable, keras.Variable)
    }
    missing = sorted(expected.keys() - state.keys())
    if missing:
        raise ValueError(
            f"the state_dict is of another model: expected the keys {sorted(expected)}, "
            f"missing are {missing}"
        )
    values = {key: _array(state[key]) for key in expected}
    for key, variable in expected.items():
        if values[key].shape != tuple(variable.shape):
            raise ValueError(
                f"the state_dict is of another model: {key} has shape {values[key].shape}, "
                f"{variable.path} has {tuple(variable.shape)}"
            )
    for key, variable in expected.items():
        variable.assign(values[key])


def _array(value: Any) -> Array:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
