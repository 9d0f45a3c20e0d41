"""The function inside of a loss or metric, and the arguments that the function is called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def get_wrapped_function(wrapper: Any) -> Any | None:
    """Return the function that a loss or metric of Keras calls; None if it calls none.

    Needed to know what a metric computes. A loss has the public attribute ``fn``. A MeanMetricWrapper has
    ``get_config``, which gives the function's name; only a registered function can be found by its name
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/metrics/reduction_metrics.py, ``_fn``).
    """
    return getattr(wrapper, "fn", None) or getattr(wrapper, "_fn", None)


def get_wrapped_arguments(wrapper: Any) -> Mapping[str, Any]:
    """Return the keyword arguments that a loss or metric passes to its function; empty if it has none.

    Needed for arguments that the public ``get_config`` leaves out, such as ``delta`` of Huber
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/losses/losses.py, ``_fn_kwargs``).
    """
    found: Mapping[str, Any] = getattr(wrapper, "_fn_kwargs", {})
    return found


def has_logits_behind(tensor: Any) -> bool:
    """Whether a tensor remembers the logits that it is the sigmoid or softmax of.

    TensorFlow's crossentropies compute from these logits, whatever the tensor holds
    (https://github.com/keras-team/keras/issues/15271). Tensors of JAX cannot remember any.
    """
    return hasattr(tensor, "_keras_logits")
