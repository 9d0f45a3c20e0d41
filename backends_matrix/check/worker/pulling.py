"""The gradient of one call by itself: its inputs' and weights', for a given gradient of its outputs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.calls import Call, Run
from backends_matrix.check.worker.tensors import float_positions, like, replaced, tensors_of
from portable_models._backend import current
from portable_models.training.states import readable

Array = NDArray[Any]


def pulled_back(
    call: Call,
    run: Run,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    upstream: list[Array | None],
) -> dict[str, Array]:
    """Gradients of ``sum(output * upstream)`` by the call's floating-point inputs and its trainable weights.

    Args:
        call: what is called.
        run: runs it.
        args: its arguments.
        kwargs: its named arguments.
        upstream: one array for each floating-point output; None where nothing depends on it.

    Returns:
        ``input/i`` and ``weight/i``; empty where there is nothing to differentiate.
    """
    tensors = tensors_of((args, kwargs))
    places = float_positions(tensors)
    variables = list(call.target.trainable_variables) if call.kind == "layer" else []
    if not any(each is not None for each in upstream) or not (places or variables):
        return {}

    def function(given: list[Any]) -> list[Any]:
        chosen = dict(zip(places, given, strict=True))
        new = replaced((args, kwargs), lambda place, tensor: chosen.get(place, tensor))
        outputs = tensors_of(run(*new))
        return [outputs[place] for place in float_positions(outputs)]

    outputs = function([tensors[place] for place in places])
    cotangents = [
        keras.ops.zeros_like(output) if array is None else like(array, output)
        for output, array in zip(outputs, upstream, strict=True)
    ]
    by_input, by_weight = current().pulled_back(
        function, [tensors[place] for place in places], variables, cotangents
    )
    found = {f"input/{index}": _array(each) for index, each in enumerate(by_input)}
    found |= {f"weight/{index}": _array(each) for index, each in enumerate(by_weight)}
    return {name: array for name, array in found.items() if array is not None}


def _array(gradient: Any) -> Any:
    if gradient is None:
        return np.zeros(())
    detached = keras.ops.stop_gradient(gradient)
    return readable(keras.ops.convert_to_numpy(detached))
