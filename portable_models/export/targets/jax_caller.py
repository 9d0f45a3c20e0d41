"""Call the exported model beside this file. Needs JAX and NumPy, nothing else.

``apply(params, x)`` is a pure function: ``x`` is a dict of input arrays by name, rows first; it gives a
dict of output arrays by name. ``params`` is ``{"trainable": {name: array}, "state": {name: array}}`` as
``load_params()`` returns it. It works in ``jax.jit``, ``jax.grad`` (first derivatives) and ``jax.vmap``
(which runs the members one after the other).
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

_HERE = Path(__file__).parent
_forward = export.deserialize(bytearray((_HERE / "model.jax").read_bytes()))
_backward = _forward.vjp()


def load_params() -> dict[str, dict[str, Any]]:
    """The parameters, in the order of the source model."""
    params: dict[str, dict[str, Any]] = {"trainable": {}, "state": {}}
    with np.load(_HERE / "params.npz", allow_pickle=False) as arrays:
        for key in arrays.files:
            part, name = key.split("/", 1)
            params[part][name] = jax.numpy.asarray(arrays[key])
    return params


def _mappable(function: Any) -> Any:
    """An exported call has no rule for ``vmap``; this gives it one: member after member."""
    mapped = jax.custom_batching.custom_vmap(function)

    def rule(size: int, are_mapped: Any, *arguments: Any) -> Any:
        def spread(value: Any, is_mapped: bool) -> Any:
            return value if is_mapped else jax.numpy.broadcast_to(value, (size, *value.shape))

        each = jax.tree.map(spread, list(arguments), list(are_mapped))
        found = jax.lax.map(lambda one: mapped(*one), each)
        return found, jax.tree.map(lambda _: True, found)

    mapped.def_vmap(rule)
    return mapped


_call = _mappable(_forward.call)
_pull_back = _mappable(_backward.call)


def _apply_forward(params: Any, x: Any) -> Any:
    return _call(params, x), (params, x)


def _apply_backward(kept: Any, cotangents: Any) -> Any:
    params, x = kept
    leaves = jax.tree.leaves((params, x))
    found = _pull_back(*leaves, *jax.tree.leaves(cotangents))
    return jax.tree.unflatten(jax.tree.structure((params, x)), found)


_apply = jax.custom_vjp(_call)
_apply.defvjp(_apply_forward, _apply_backward)


def apply(params: Any, x: Any) -> Any:
    """Outputs by name for inputs by name; rows are the first axis of each. One input needs no name.

    Raises:
        ValueError: an input is missing, unknown, or of another shape or dtype than was exported.
    """
    if not isinstance(x, dict):
        (_, expected), _ = jax.tree.unflatten(_forward.in_tree, _forward.in_avals)
        x = dict(zip(expected, [x], strict=True))
    inputs = {name: jax.numpy.asarray(value) for name, value in x.items()}
    return _apply(params, inputs)
