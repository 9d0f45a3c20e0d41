"""What is done to a loaded model before a target's file writes it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras

from portable_models._keras.layers import all_layers
from portable_models.export.errors import RefusedError
from portable_models.export.inspection import View
from portable_models.export.probes import probes
from portable_models.export.routes import Limit
from portable_models.export.sizes import has_free_axis

LONGEST_SUM = 256
"""Products that a Dense layer adds up in one go, where its sums are split.

LiteRT's kernels add one product after another; XLA's on a CPU are better, not good. Error of sums of 10,000
products against float64, both root mean squares: LiteRT 1.8e-6, in blocks of 1024 5.6e-7, of 256 3.1e-7, of
64 2.7e-7; JAX 3.9e-7, 2.8e-7, 1.9e-7, 2.4e-7. LiteRT takes as long as before, JAX about twice that layer's
0.2 ms."""


def check_limits(seen: View, limits: Sequence[Limit]) -> None:
    """Check that a way to a target can hold the model.

    Raises:
        RefusedError: it cannot; the message is the limit's reason.
    """
    for limit in limits:
        if _TRAITS[limit](seen):
            raise RefusedError(str(limit))


def unroll(model: Any) -> None:
    """Make every recurrent layer, at any depth, a chain of its steps instead of a loop.

    ``unroll`` is read at every call, so it is switched on the layer in place: this reaches layers inside
    Bidirectional, nested and subclassed models alike, which cloning does not. The model is this process's
    own copy.
    """
    for layer in _recurrent(model):
        layer.unroll = True
        if layer.zero_output_for_mask and not layer.stateful:
            layer.inner_loop = functools.partial(_with_zeros, layer, layer.inner_loop)


def _with_zeros(
    layer: Any, loop: Callable[..., Any], sequences: Any, initial_state: Any, mask: Any, **rest: Any
) -> Any:
    """The steps of a recurrent layer, with the outputs of masked steps set to zero here.

    Unrolled on TensorFlow, Keras 3.15.1 sets those of the mirrored steps to zero where the layer goes
    backwards, as one half of every Bidirectional does: outputs were off by 0.3 of their scale
    (``keras/src/backend/tensorflow/rnn.py``: the list of masks is reversed, the stacked mask is not).
    """
    if mask is None:
        return loop(sequences, initial_state, mask, **rest)
    layer.zero_output_for_mask = False
    try:
        last, outputs, states = loop(sequences, initial_state, mask, **rest)
    finally:
        layer.zero_output_for_mask = True
    kept = keras.ops.flip(mask, axis=1) if layer.go_backwards else mask
    if not layer.return_sequences:
        kept = kept[:, -1:]
    for _ in range(len(outputs.shape) - len(kept.shape)):
        kept = keras.ops.expand_dims(kept, -1)
    outputs = keras.ops.where(kept, outputs, keras.ops.zeros_like(outputs))
    return keras.ops.where(kept[:, -1], last, keras.ops.zeros_like(last)), outputs, states


def split_long_sums(model: Any) -> None:
    """Make every Dense layer of many inputs, at any depth, add up its products in blocks.

    The layer is switched in place, as in :func:`unroll`.
    """
    for layer in all_layers(model):
        # A subclass may compute something else; a quantized kernel is not a matrix of numbers.
        plain = type(layer) is keras.layers.Dense and layer.quantization_mode is None
        if plain and layer.kernel.shape[0] > LONGEST_SUM:
            layer.call = functools.partial(_in_blocks, layer)


def _in_blocks(layer: Any, inputs: Any, training: bool | None = None) -> Any:
    """What ``keras.layers.Dense.call`` computes (keras 3.15.1), its sums in blocks."""
    del training
    count, kernel = layer.kernel.shape[0], keras.ops.convert_to_tensor(layer.kernel)
    blocks = [slice(start, start + LONGEST_SUM) for start in range(0, count, LONGEST_SUM)]
    products = (keras.ops.matmul(inputs[..., block], kernel[block]) for block in blocks)
    outputs = functools.reduce(keras.ops.add, products)
    if layer.bias is not None:
        outputs = keras.ops.add(outputs, layer.bias)
    return outputs if layer.activation is None else layer.activation(outputs)


def call_once(seen: View, batch: int) -> None:
    """Call the model, so that everything that a first call makes is there before tracing."""
    if any(tensor.dtype == "string" for tensor in seen.signature.inputs):
        return
    drawn = probes(seen.signature, batch)[0].inputs
    seen([keras.ops.convert_to_tensor(value) for value in drawn])


def _recurrent(model: Any) -> list[Any]:
    # ConvLSTM layers are RNN too; Bidirectional and TimeDistributed hold theirs as sublayers.
    return [layer for layer in all_layers(model) if isinstance(layer, keras.layers.RNN)]


def _is_stateful(seen: View) -> bool:
    return any(layer.stateful for layer in _recurrent(seen.model))


def _has_free_length(seen: View) -> bool:
    if not has_free_axis(seen.signature.inputs):
        return False
    for layer in _recurrent(seen.model):
        shape = (layer.get_build_config() or {}).get("input_shape")
        if shape is not None and _first_shape(shape)[1] is None:
            return True
    return False


def _first_shape(shape: Any) -> Any:
    return _first_shape(shape[0]) if isinstance(shape[0], list | tuple) else shape


def _takes_strings(seen: View) -> bool:
    return any(tensor.dtype == "string" for tensor in seen.signature.inputs)


def _computes_double(seen: View) -> bool:
    return any(
        keras.backend.standardize_dtype(variable.dtype) == "float64"
        for variable in seen.model.variables
    )


_TRAITS: dict[Limit, Callable[[View], bool]] = {
    Limit.STATEFUL: _is_stateful,
    Limit.FREE_LENGTH: _has_free_length,
    Limit.STRINGS: _takes_strings,
    Limit.DOUBLE: _computes_double,
    # Only the translation itself can tell: the torch-module target raises RefusedError by name of the layer.
    Limit.UNKNOWN_LAYER: lambda seen: False,
}
