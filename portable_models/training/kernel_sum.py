"""Bags of words through a model's first Dense layer without the dense matrix.

The product of a multi-hot row with a kernel is the sum of the kernel's rows at the row's words: 132 of
10,000 in a film review. The model stays the one that it is, with its weights, its files and its meaning
for every other input; while a program is traced, its first Dense layer is given the words of the batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend import current
from portable_models._backend.memory import aligned
from portable_models._backend.program import Orders
from portable_models._keras.classes import Functional
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import Batch, Indices, MultiHotSamples
from portable_models.training.probe import SparseArray
from portable_models.training.rows import Rows, as_keras

BLOCK = 32
"""Words in a block. Reviews are read in whole blocks: with 32, an eighth of what is read is padding."""

ROUNDING = "portable_models.training.rounding"
_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics", "call", "stateless_call")


def first_dense(model: Any, dimension: int) -> Any | None:
    """The Dense layer that alone takes the model's one input of ``dimension`` numbers, if there is one.

    None as well where the model's own code could look at its input, and in half precision, where a product of
    matrices keeps sums in float32 and a sum of rows would not.
    """
    bases = (keras.Sequential, Functional, keras.Model)
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
    _batch: list[tuple[Any, Any]] = field(default_factory=list)

    def give(self, words: Any, count: Any) -> None:
        """The next call of the layer is for these words; see ``Backend.rows_summed``."""
        self._batch[:] = [(words, count)]

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


@dataclass(frozen=True)
class BagRows(Rows):
    """Bags of words as blocks of word ids on the device; see :func:`bag_rows`."""

    read: Callable[[Any, Any], Any]
    """``gather`` with word ids, whose they are, and how many rows there are in the place of inputs."""
    dimension: int
    blocks: Indices
    """How many blocks each row has."""
    room: Mapping[int, int]
    """Rows of a batch -> how many blocks it has room for."""

    @cached_property
    def first(self) -> Indices:
        """Where the blocks of each row begin; and, last, the block that holds padding only."""
        return np.concatenate([[0], np.cumsum(self.blocks)])

    def width(self, count: int) -> int:
        """See ``Rows``: rows, blocks, and whose each block is."""
        return count + 2 * self.room[count]

    def places(self, batch: Indices) -> Orders:
        """See ``Rows``. What a batch leaves of its room reads the block of padding."""
        count, held = len(batch), self.blocks[batch]
        ends = np.cumsum(held)
        places = np.empty(self.width(count), np.int32)
        rows, blocks, owners = np.split(places, [count, count + self.room[count]])
        rows[:], blocks[:], owners[:] = batch, self.first[-1], count - 1
        blocks[: ends[-1]] = np.repeat(self.first[batch] - ends + held, held) + np.arange(ends[-1])
        owners[: ends[-1]] = np.repeat(np.arange(count), held)
        return places

    def order(self, rows: Indices, batch_size: int) -> Orders:
        """See ``Rows``."""
        return np.concatenate([self.places(batch) for batch in cut(rows, batch_size)])

    def together(self, batch_size: int, rows: int) -> int:
        """See ``Rows``: there is room for the batches of the training only."""
        return batch_size

    @property
    def reader(self) -> Callable[[Any, Any], Any]:
        """See ``Rows``."""
        return self.read

    def shown(self, read: Any) -> Any:
        """See ``Rows``: inputs are the multi-hot matrix that the words stand for."""
        ids, owners, _, y, weight = read
        words = current().unpacked(np.asarray(keras.ops.convert_to_numpy(ids)))
        owner = np.repeat(np.asarray(keras.ops.convert_to_numpy(owners)), words.shape[1])
        known = words.ravel() < self.dimension
        positions = owner[known].astype(np.int64) * self.dimension + words.ravel()[known]
        if not (positions[1:] > positions[:-1]).all():
            positions = np.unique(positions)
        ones = np.ones(len(positions), np.float32)
        return SparseArray((int(y.shape[0]), self.dimension), positions, ones), y, weight


def cut(order: Indices, size: int) -> list[Indices]:
    """Batches of an order."""
    return [order[start : start + size] for start in range(0, len(order), size)]


def bag_rows(
    samples: MultiHotSamples,
    class_weight: Mapping[int, float] | None,
    batches: Iterable[Indices],
    bags: Bags,
) -> BagRows:
    """Bags of words as blocks of word ids on the device.

    Args:
        samples: the bags.
        class_weight: multiplied into the sample weights.
        batches: all batches that will be read: the largest number of blocks in one decides how much room
            a batch has.
        bags: is given the words of each batch that is gathered; the inputs gathered are zeros, which the
            layer does not look at.
    """
    blocks = _blocks(samples)
    first = np.concatenate([[0], np.cumsum(blocks)])
    # The last block holds padding only.
    words = current().taken_over(_words(samples, first[:-1], int(first[-1]) + 1))
    room: dict[int, int] = {}
    for batch in batches:
        room[len(batch)] = max(room.get(len(batch), 1), int(blocks[batch].sum()))
    rows_in = {}
    for count in room:
        # By its width a batch is known.
        while count + 2 * room[count] in rows_in:
            room[count] += 1
        rows_in[count + 2 * room[count]] = count
    _, y, weight = weighted(Batch(blocks, samples.y), class_weight)
    parts = {"words": words, "y": as_keras(y)} | ({} if weight is None else {"w": weight})

    def read(tensors: Any, places: Any) -> tuple[Any, Any, Any, Any, Any]:
        ops = keras.ops
        width = places.shape[0]
        count = _rows_in(rows_in, ops.shape(places)[0]) if width is None else rows_in[int(width)]
        end = (count + ops.shape(places)[0]) // 2
        ids = ops.take(tensors["words"], places[count:end], axis=0)
        weight = ops.take(tensors["w"], places[:count], axis=0) if "w" in tensors else None
        return ids, places[end:], count, ops.take(tensors["y"], places[:count], axis=0), weight

    def gather(tensors: Any, places: Any) -> tuple[Any, Any, Any]:
        ids, owners, count, y, weight = read(tensors, places)
        bags.give(current().addressed(ids, owners), count)
        return current().unread(count, samples.dimension), y, weight

    kind = ("blocks", tuple(sorted(room.items())), samples.dimension, int(words.shape[0]))
    return BagRows(parts, gather, len(samples), kind, read, samples.dimension, blocks, room)


def bags_in_order(samples: MultiHotSamples, batch_size: int, bags: Bags) -> Rows:
    """Bags of words that are only ever gone through from the first to the last, such as those held out.

    Each batch lies on the device as the layer takes it: nothing is gathered, time and again the same.

    Args:
        samples: the bags.
        batch_size: rows in a batch; the last one may hold fewer.
        bags: see :func:`bag_rows`.
    """
    blocks = _blocks(samples)
    first = np.cumsum(blocks) - blocks
    batches = cut(np.arange(len(samples)), batch_size)
    room = max([1, *(int(blocks[batch].sum()) for batch in batches)])
    # What a batch leaves of its room belongs to its last row, and holds padding.
    owners = np.empty((len(batches), room), np.int32)
    for number, batch in enumerate(batches):
        first[batch] += number * room - first[batch[0]]
        held = np.repeat(np.arange(len(batch)), blocks[batch])
        owners[number, : len(held)], owners[number, len(held) :] = held, len(batch) - 1
    words = _words(samples, first, owners.size)
    addressed = keras.tree.map_structure(
        lambda part: current().taken_over(part.reshape(len(batches), room, *part.shape[1:])),
        current().addressed(words, owners.reshape(-1)),
    )
    parts = {"words": addressed, "y": as_keras(samples.y)}

    def gather(tensors: Any, places: Any) -> tuple[Any, Any, None]:
        ops = keras.ops
        number, count = places[0] // batch_size, ops.shape(places)[0]
        words = keras.tree.map_structure(
            lambda part: current().entry(part, number), tensors["words"]
        )
        bags.give(words, count)
        y = ops.take(tensors["y"], places, axis=0)
        return current().unread(count, samples.dimension), y, None

    kind = ("blocks in order", batch_size, room, samples.dimension)
    return Rows(parts, gather, len(samples), kind)


def _blocks(samples: MultiHotSamples) -> Indices:
    """How many blocks each row has."""
    return -(-np.diff(samples.offsets) // BLOCK)


def _words(samples: MultiHotSamples, first: Indices, count: int) -> NDArray[np.integer[Any]]:
    """Packed word ids of shape ``(count, BLOCK)``; each row's begin with its first block."""
    padding = current().packed(np.full(1, samples.dimension, np.int32))
    words = aligned((count, BLOCK), padding.dtype)
    words[...] = padding
    flat, moved = words.reshape(-1), first * BLOCK - samples.offsets[:-1]
    # Some rows at a time: memory that is new costs more than the work.
    for part in cut(np.arange(len(first)), 1024):
        begin, end = samples.offsets[part[0]], samples.offsets[part[-1] + 1]
        lengths = np.diff(samples.offsets[part[0] : part[-1] + 2])
        places = np.repeat(moved[part], lengths) + np.arange(begin, end)
        flat[places] = current().packed(samples.ids[begin:end])
    return words


def _rows_in(known: Mapping[int, int], width: Any) -> Any:
    """How many rows a batch of a width that is a tensor has: a step may be traced once for all widths."""
    ops = keras.ops
    widths, counts = (
        ops.convert_to_tensor(list(each), "int32") for each in zip(*known.items(), strict=True)
    )
    return ops.sum(ops.where(ops.equal(widths, width), counts, 0))
