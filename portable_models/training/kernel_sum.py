"""Bags of words through a model's first Dense layer without the dense matrix.

The product of a multi-hot row with a kernel is the sum of the kernel's rows at the row's words: 132 of
10,000 in a film review. The model stays the one that it is, with its weights, its files and its meaning
for every other input; while a program is traced, its first Dense layer is given the words of the batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import Array, Batch, Indices, MultiHotSamples
from portable_models.training.rows import Rows

BLOCK = 32
"""Words in a block. Reviews are read in whole blocks: with 32, an eighth of what is read is padding."""

ROUNDING = "portable_models.training.rounding"
_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics", "call", "stateless_call")


def first_dense(model: Any, dimension: int) -> Any | None:
    """The Dense layer that alone takes the model's one input of ``dimension`` numbers, if there is one.

    None as well where the model's own code could look at its input, and in half precision, where a product of
    matrices keeps sums in float32 and a sum of rows would not.
    """
    bases = (keras.Sequential, keras.src.models.Functional, keras.Model)
    own = [
        name
        for name in _STEPS
        if not any(_same(model, base, name) for base in bases)
        # What makes a replica of a model hands on its input unread.
        or getattr(vars(model).get(name), "__module__", ROUNDING) != ROUNDING
    ]
    functional = getattr(model, "_functional", None) or model
    inputs = getattr(functional, "inputs", None)
    if own or not inputs or len(inputs) != 1 or tuple(inputs[0].shape) != (None, dimension):
        return None
    operation = inputs[0]._keras_history.operation
    takers = [
        node.operation
        for outbound in operation._inbound_nodes
        for node in outbound.outputs[0]._keras_history.operation._outbound_nodes
    ]
    if len(takers) != 1 or type(takers[0]) is not keras.layers.Dense:
        return None
    (layer,) = takers
    plain = layer.compute_dtype == "float32" == layer.variable_dtype and layer.built
    return layer if plain and not layer.lora_enabled and layer.quantization_mode is None else None


def _same(model: Any, base: type, name: str) -> bool:
    return getattr(type(model), name, None) is getattr(base, name, None)


@dataclass
class Bags:
    """The way of one batch from where it is gathered to the layer that takes it.

    Args:
        layer: the Dense layer.
    """

    layer: Any
    _batch: list[tuple[Any, Any, int]] = field(default_factory=list)

    def give(self, ids: Any, owners: Any, count: int) -> None:
        """The next call of the layer is for these words; see ``Backend.rows_summed``."""
        self._batch[:] = [(ids, owners, count)]

    def shown(self, dimension: int) -> Array:
        """The batch that was given, as the multi-hot matrix that it stands for, float32."""
        ids, owners, count = self._batch.pop()
        words = np.asarray(keras.ops.convert_to_numpy(ids))
        rows = np.repeat(keras.ops.convert_to_numpy(owners), words.shape[1])
        known = words.ravel() < dimension
        dense = np.zeros((count, dimension), np.float32)
        dense[rows[known], words.ravel()[known]] = 1.0
        return dense

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Inside, the layer takes what it is given, and its input where it is given nothing."""
        dense, layer = self.layer.call, self.layer

        def call(inputs: Any, training: Any = None) -> Any:
            if not self._batch:
                return dense(inputs, training=training)
            found = current().rows_summed(layer.kernel.value, *self._batch.pop())
            if layer.bias is not None:
                found = keras.ops.add(found, layer.bias)
            return found if layer.activation is None else layer.activation(found)

        layer.call = call
        try:
            yield
        finally:
            del layer.call
            self._batch.clear()


def bag_rows(
    samples: MultiHotSamples,
    class_weight: Mapping[int, float] | None,
    batches: Iterable[Indices],
    bags: Bags,
) -> Rows:
    """Bags of words as blocks of word ids on the device.

    Args:
        samples: the bags.
        class_weight: multiplied into the sample weights.
        batches: all batches that will be read: the largest number of blocks in one decides how much room
            a batch has.
        bags: is given the words of each batch that is gathered; the inputs gathered are zeros, which the
            layer does not look at.
    """
    lengths = np.diff(samples.offsets)
    blocks = -(-lengths // BLOCK)
    first = np.concatenate([[0], np.cumsum(blocks)])
    # The last block holds padding only: what a batch leaves of its room reads that.
    words = np.full((int(first[-1]) + 1, BLOCK), samples.dimension, np.int32)
    inside = np.arange(len(samples.ids)) - np.repeat(samples.offsets[:-1], lengths)
    words[np.repeat(first[:-1], lengths) + inside // BLOCK, inside % BLOCK] = samples.ids
    room: dict[int, int] = {}
    for batch in batches:
        room[len(batch)] = max(room.get(len(batch), 1), int(blocks[batch].sum()))
    _, y, weight = weighted(Batch(lengths, samples.y), class_weight)
    parts = {
        "words": words,
        "first": first[:-1].astype(np.int32),
        "blocks": blocks.astype(np.int32),
        "y": np.asarray(y, keras.config.floatx()) if np.asarray(y).dtype.kind == "f" else y,
    } | ({} if weight is None else {"w": weight})
    nothing = len(words) - 1

    def gather(tensors: Any, indices: Any) -> tuple[Any, Any, Any]:
        ops = keras.ops
        count = int(indices.shape[0])
        held = ops.take(tensors["blocks"], indices, axis=0)
        ends = ops.cumsum(held)
        place = ops.arange(room[count], dtype="int32")
        owner = ops.cast(ops.searchsorted(ends, place, side="right"), "int32")
        known = ops.minimum(owner, count - 1)
        start = ops.subtract(
            ops.take(tensors["first"], indices, axis=0), ops.cast(ends - held, "int32")
        )
        block = ops.where(owner < count, ops.take(start, known, axis=0) + place, nothing)
        bags.give(ops.take(tensors["words"], block, axis=0), known, count)
        x = ops.zeros((count, samples.dimension), "float32")
        weight = ops.take(tensors["w"], indices, axis=0) if "w" in tensors else None
        return x, ops.take(tensors["y"], indices, axis=0), weight

    kind = ("blocks", tuple(sorted(room.items())), samples.dimension, nothing)
    return Rows(
        parts,
        gather,
        len(samples),
        kind,
        shown=lambda batch: (bags.shown(samples.dimension), *batch[1:]),
    )


def outputs_of_bags(model: Any, samples: MultiHotSamples, batch_size: int) -> Array | None:
    """What a model puts out for bags of words, float32; None where its first layer cannot sum rows."""
    layer = first_dense(model, samples.dimension)
    if layer is None:
        return None
    bags = Bags(layer)
    every = np.arange(len(samples))
    batches = [every[start : start + batch_size] for start in range(0, len(every), batch_size)]
    rows = bag_rows(samples, None, batches, bags)
    tensors = current().to_device(rows.arrays)

    def outputs(tensors: Any, indices: Any) -> Any:
        x, _, _ = rows.gather(tensors, indices)
        return model(x, training=False)

    run = current().compiled(outputs)
    with bags.taken():
        found = [
            run(tensors, keras.ops.convert_to_tensor(batch.astype(np.int32))) for batch in batches
        ]
    return np.concatenate([keras.ops.convert_to_numpy(each) for each in found])


def measured(model: Any, y: Array, outputs: Array) -> dict[str, float]:
    """The loss and metrics that ``evaluate`` gives, from outputs that are known.

    Only for a model whose steps are Keras's own; see ``first_dense``.
    """
    targets, found = keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(outputs)
    model.reset_metrics()
    loss = model.compute_loss(None, targets, found, None, training=False)
    metrics = model.compute_metrics(None, targets, found, None)
    return {name: float(value) for name, value in (metrics | {"loss": loss}).items()}
