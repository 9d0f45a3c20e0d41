"""Variables that Keras has taken the values from."""

from __future__ import annotations

from typing import Any


def has_no_value(variable: Any) -> bool:
    """Whether ``Model.fit`` on JAX has taken a variable's value and not given it back.

    The public ``variable.value`` raises an unrelated ``TypeError`` then
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/jax/trainer.py,
    ``_purge_model_variables``).
    """
    return bool(variable._value is None)
