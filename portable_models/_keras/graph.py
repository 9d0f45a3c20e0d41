"""The graph that Keras records when layers are called on symbolic tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
from keras.src.models.functional import Functional

from portable_models._keras.layers import all_layers


class RecordedCall(NamedTuple):
    """One call of a layer or operation: its arguments as given, and its symbolic outputs, flat."""

    operation: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[Any, ...]


def get_functional_class() -> type[Any]:
    """Return the class of models that are made from symbolic inputs and outputs.

    Needed to tell Keras's own methods from those that a model's class defines. The public
    ``keras.Model(inputs, outputs)`` gives an object of this class; the class has no public name
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/models/functional.py).
    """
    kind: type[Any] = Functional
    return kind


def find_functional(model: Any) -> Any | None:
    """Find the Functional model that holds the graph of a Functional or Sequential model.

    Needed to read a model's calls. A Sequential makes a Functional for itself. Its public ``inputs`` and
    ``outputs`` are those of the Functional; the Functional itself is private
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/models/sequential.py, ``_functional``).

    Returns:
        None for other models, and for models whose class defines ``call``: the graph does not show that code.
    """
    if isinstance(model, keras.Sequential) and type(model).call is keras.Sequential.call:
        return model._functional
    if isinstance(model, Functional) and type(model).call is Functional.call:
        return model
    return None


def list_calls(function: Any) -> tuple[RecordedCall, ...]:
    """List the calls of a Functional model or ``keras.Function`` in an order in which they can run.

    Needed to write a model as code. The public ``operations`` lists operations without their arguments
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/ops/function.py, ``_nodes_by_depth``).
    """
    by_depth = function._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return tuple(
        RecordedCall(
            node.operation, node.arguments.args, node.arguments.kwargs, tuple(node.outputs)
        )
        for node in nodes
        if node.operation is not None and not node.is_input
    )


def find_operation(tensor: Any) -> Any | None:
    """Find the layer or operation that gave a symbolic tensor; None if there is none.

    Needed to find the activation of an output and the layer of an input. The only public way backwards is
    ``keras.utils.get_source_inputs``, which goes to the inputs of the whole graph
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/ops/node.py, ``KerasHistory``).
    """
    history = getattr(tensor, "_keras_history", None)
    return None if history is None else history.operation


def find_consumers(tensor: Any) -> list[Any]:
    """Find the layers and operations that were called on outputs of the operation that gave a tensor.

    Needed to know which layers read a model's input. Keras has no public way from a tensor to its uses
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/ops/node.py, ``_outbound_nodes``).
    """
    operation = find_operation(tensor)
    return [] if operation is None else [node.operation for node in operation._outbound_nodes]


def list_call_inputs(operation: Any) -> list[list[Any]]:
    """List the symbolic tensors that each call of a layer or operation was given, flat.

    Needed for shared layers: the public ``layer.input`` is that of the first call only
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/ops/node.py, ``_inbound_nodes``).
    """
    return [list(node.input_tensors) for node in operation._inbound_nodes]


@contextlib.contextmanager
def restore_calls(layer: Any) -> Iterator[None]:
    """Remove, at the end, the calls that were recorded inside this context on a layer and those inside it.

    Needed to call a user's layer symbolically and leave it unchanged. Keras has no public way to remove a
    recorded call (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/ops/node.py).
    """
    before = [
        (each, len(each._inbound_nodes), len(each._outbound_nodes)) for each in all_layers(layer)
    ]
    try:
        yield
    finally:
        for each, inbound, outbound in before:
            del each._inbound_nodes[inbound:], each._outbound_nodes[outbound:]
