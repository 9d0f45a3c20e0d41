"""What a model computes, as steps: read off a Functional model, or found by calling a layer symbolically."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from portable_models._keras.building import clear_losses
from portable_models._keras.calls import inherit_training
from portable_models._keras.graph import list_calls, restore_calls
from portable_models._keras.randomness import get_global_seed_state
from portable_models.export.errors import RefusedError


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a layer or of a ``keras.ops`` operation.

    Args:
        operation: the layer or operation.
        args: its positional arguments; symbolic tensors, variables and plain values, nested.
        kwargs: its keyword arguments, as the caller gave them.
        outputs: the symbolic tensors that it gives, flat.
    """

    operation: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps in the order of computing, from the inputs to the structure of outputs.

    Args:
        inputs: symbolic tensors, flat.
        steps: what is computed.
        outputs: symbolic tensors, nested.
        weights: symbolic tensors that stand for a layer's own variables, by ``id``.
    """

    inputs: tuple[Any, ...]
    steps: tuple[Step, ...]
    outputs: Any
    weights: Mapping[int, Any]


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a symbolic tensor."""
    return isinstance(value, keras.KerasTensor)


def tensors_in(structure: Any) -> list[Any]:
    """The symbolic tensors of a structure, flat."""
    return [leaf for leaf in keras.tree.flatten(structure) if is_tensor(leaf)]


def _steps(function: Any) -> tuple[Step, ...]:
    return tuple(Step(*call) for call in list_calls(function))


def graph_of(functional: Any) -> Graph:
    """The steps of a Functional model."""
    return Graph(tuple(functional.inputs), _steps(functional), functional.output, weights={})


def symbolic_call(
    call: Callable[..., Any],
    layer: Any | None,
    args: Any,
    kwargs: Mapping[str, Any],
    training: bool = False,
) -> Graph:
    """Call a function on symbolic tensors and read off what it computes.

    The layer's own variables are symbolic during the call, so that what is computed from them alone stays
    live; every other variable has no value, so that computing with it outside an operation that is
    recorded fails instead of becoming a constant.

    Args:
        call: the function.
        layer: the layer that it belongs to, if it does.
        args: positional arguments with symbolic tensors.
        kwargs: keyword arguments with symbolic tensors.
        training: the mode that the layers inside inherit.

    Raises:
        RefusedError: the call needs values, or gives something that does not depend on its inputs.
    """

    def fresh(value: Any) -> Any:
        return keras.KerasTensor(value.shape, value.dtype) if is_tensor(value) else value

    args, kwargs = keras.tree.map_structure(fresh, (tuple(args), dict(kwargs)))
    inputs = tensors_in((args, kwargs))
    with _symbolic_weights(layer, training) as weights:
        try:
            outputs = call(*args, **kwargs)
        except RefusedError:
            raise
        except Exception as error:
            first = str(error).strip().splitlines() or [""]
            raise RefusedError(
                f"its call needs values of tensors ({type(error).__name__}: {first[0][:200]})"
            ) from error
        return _read(inputs, outputs, weights)


def _read(inputs: list[Any], outputs: Any, weights: Mapping[int, tuple[Any, Any]]) -> Graph:
    """The steps between the inputs (and weights) and the outputs of a symbolic call."""
    leaves = keras.tree.flatten(outputs)
    if not leaves or not all(map(is_tensor, leaves)):
        raise RefusedError("its call gives something other than tensors made from its inputs")
    variables = {key: variable for key, (_, variable) in weights.items()}
    known = {id(tensor) for tensor in inputs} | set(weights)
    if all(id(leaf) in known for leaf in leaves):
        return Graph(tuple(inputs), (), outputs, variables)
    placeholders = [placeholder for placeholder, _ in weights.values()]
    try:
        function = keras.Function([*inputs, *placeholders], outputs)
    except ValueError as error:
        raise RefusedError("its output does not depend on its inputs alone") from error
    return Graph(tuple(inputs), _steps(function), outputs, variables)


@contextlib.contextmanager
def _symbolic_weights(layer: Any | None, training: bool) -> Iterator[dict[int, tuple[Any, Any]]]:
    """Replace a layer's own variables by symbolic tensors, and take the values of all others away."""
    found: dict[int, tuple[Any, Any]] = {}
    if layer is None:
        yield found
        return
    own = {key: value for key, value in vars(layer).items() if isinstance(value, keras.Variable)}
    for value in own.values():
        placeholder = keras.KerasTensor(value.shape, value.dtype)
        found[id(placeholder)] = (placeholder, value)
    # Keras itself would turn the mapping's values into tensors, so they are put in afterwards.
    scope = keras.StatelessScope(collect_losses=True)
    for variable in [*layer.variables, get_global_seed_state()]:
        scope.state_mapping[id(variable)] = keras.KerasTensor(variable.shape, variable.dtype)
    symbols = {id(variable): symbol for symbol, variable in found.values()}
    with restore_calls(layer), inherit_training(layer, training):
        try:
            for key, value in own.items():
                vars(layer)[key] = symbols[id(value)]
            with scope:
                yield found
            if scope.losses:
                raise RefusedError(
                    "its call uses add_loss, and a torch.nn.Module has no place for it"
                )
        finally:
            vars(layer).update(own)
            clear_losses(layer)


def takes(layer: Any, name: str) -> bool:
    """Whether the layer's ``call`` has an argument of this name."""
    return name in inspect.signature(type(layer).call).parameters


class Call:
    """One call of a layer in a graph."""

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], masked: bool) -> None:
        self.args = args
        self.kwargs = {key: value for key, value in kwargs.items() if key != "training"}
        self.masked = masked

    def signature(self) -> str:
        """What a trace depends on: shapes, dtypes, and the values of plain arguments."""

        def one(value: Any) -> Any:
            return (tuple(value.shape), value.dtype) if is_tensor(value) else repr(value)

        return repr(keras.tree.map_structure(one, (self.args, self.kwargs)))

    def graphs(self, layer: Any) -> list[Graph]:
        """What the layer computes in training and in inference."""
        given = takes(layer, "training")
        return [
            symbolic_call(
                layer.call,
                layer,
                self.args,
                {**self.kwargs, "training": training} if given else self.kwargs,
                training,
            )
            for training in (True, False)
        ]

    def names(self, layer: Any) -> list[str]:
        """A name for each tensor that goes in."""
        count = len(tensors_in((self.args, self.kwargs)))
        return ["x"] if count == 1 else [f"x{index}" for index in range(1, count + 1)]
