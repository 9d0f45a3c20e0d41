"""A Keras model as a pure JAX function of its parameters: for ``jit``, ``grad`` and ``vmap``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portable_models.export.inspection import View

Params = dict[str, dict[str, Any]]


def stateless(
    model: Any, seen: View | None = None
) -> tuple[Callable[[Params, Mapping[str, Any]], dict[str, Any]], Params]:
    """``(apply, params)``: ``apply(params, x)`` is the model's inference as a pure function.

    Args:
        model: a built Keras model, in a process that runs Keras on JAX.
        seen: how the model is called, where that is known already.

    Returns:
        The function and a copy of its parameters. ``params`` is a dict with the keys ``trainable`` and
        ``state``, each a dict of arrays by name; ``x`` and what comes back are dicts of arrays by the names
        of inputs and outputs, rows first. Gradients are taken with respect to ``params["trainable"]``;
        ``vmap`` maps over members where every leaf of ``params`` is stacked along a new first axis.

    Raises:
        RuntimeError: Keras does not run on JAX in this process.
        ExportError: the model was never built.

    Example::

        apply, params = stateless(model)
        loss = lambda trainable: ((apply({**params, "trainable": trainable}, x)["price"] - y) ** 2).mean()
        gradients = jax.jit(jax.grad(loss))(params["trainable"])
    """
    import jax

    from portable_models.export.inspection import view

    if any(not isinstance(variable.value, jax.Array) for variable in model.variables):
        raise RuntimeError(
            "a JAX function is made where Keras runs on JAX; set KERAS_BACKEND=jax before keras is "
            "imported, or export the .keras file with --to jax"
        )
    seen = view(model) if seen is None else seen
    trainable = _by_name(model.trainable_variables)
    # Generators' states are whole numbers that inference never reads; they stay inside as constants.
    state = _by_name(
        variable for variable in model.non_trainable_variables if "float" in str(variable.dtype)
    )

    def apply(params: Params, x: Mapping[str, Any]) -> dict[str, Any]:
        import keras

        mapping = [
            (variable, params[part][name])
            for part, variables in (("trainable", trainable), ("state", state))
            for name, variable in variables.items()
        ]
        with keras.StatelessScope(state_mapping=mapping):
            return seen.named(seen([x[tensor.name] for tensor in seen.signature.inputs]))

    # Copies: fit and predict of Keras give a variable's buffer away (donation), and it is deleted then.
    params = {
        part: {name: jax.numpy.array(variable.value) for name, variable in variables.items()}
        for part, variables in (("trainable", trainable), ("state", state))
    }
    return apply, params


def _by_name(variables: Iterable[Any]) -> dict[str, Any]:
    """Variables by their path in the model; a path that occurs twice gets its position added."""
    found: dict[str, Any] = {}
    for position, variable in enumerate(variables):
        name = variable.path
        found[f"{name}_{position}" if name in found else name] = variable
    return found
