"""TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from portable_models._backend.base import Backend
from portable_models._backend.program import Pass, Program
from portable_models._backend.step_result import Slices, StepResult
from portable_models._backend.tensorflow_devices import TensorFlowDevices
from portable_models._backend.tensorflow_program import TensorFlowProgram, through_xla, without_copy
from portable_models._keras.calls import call_in_training

_FIRST, _SECOND = (0, 32) if sys.byteorder == "little" else (32, 0)
"""How far the halves of an int64 are shifted, in the order in which they lie in memory."""


class TensorFlowBackend(TensorFlowDevices, Backend):
    """TensorFlow, eager and through ``tf.function``."""

    name = "tensorflow"
    single_steps_eagerly = True
    run_errors = (tf.errors.OpError,)

    def versions(self) -> Mapping[str, str]:
        return {"tensorflow": tf.__version__}

    def bound_threads(self, count: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def text(self, array: NDArray[Any]) -> Any:
        """Strings as a tensor, without which ``Model.fit`` refuses them."""
        return tf.constant(array)

    def is_traced(self, tensor: Any) -> bool:
        return bool(tf.is_symbolic_tensor(tensor))

    def computes_on_host(self, *tensors: Any) -> bool:
        return bool(tf.executing_eagerly()) and not any(self.is_traced(each) for each in tensors)

    def opaque(self, function: Callable[[Any, Any, int], Any]) -> Callable[[Any, Any, int], Any]:
        # Its many small operations take several times longer in a graph that is not compiled, and on an
        # accelerator TensorFlow would add int32 numbers on the host.
        compiled = tf.function(function, jit_compile=True, autograph=False)

        def call(key: Any, count: Any, lane: int) -> Any:
            if tf.executing_eagerly():
                return function(key, count, lane)
            # A tensor, since a function is traced again for every other Python number.
            return compiled(key, tf.convert_to_tensor(count, tf.int32), lane)

        return call

    def bits(self, tensor: Any) -> Any:
        # Keras 3.15.1's view fails where the last dimension is unknown.
        return tf.bitcast(tensor, tf.int32)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return tf.function(function, autograph=False)  # type: ignore[no-any-return]

    def called_often(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self.compiled(function)

    def in_thread(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # Single operations run in the thread that calls them; those of a graph would wait for the program's.
        return function

    def gradients(self, model: Any, x: Any, y: Any, weight: Any) -> StepResult:
        weights = [variable.value for variable in model.trainable_variables]
        with tf.GradientTape() as tape:
            outputs = call_in_training(model, x)
            loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weight, training=True)
        found = tape.gradient(loss, weights, unconnected_gradients="zero")
        arrays = [tf.convert_to_tensor(gradient).numpy() for gradient in found]
        slices = {
            place: Slices(each.indices.numpy().astype(np.int64), each.values.numpy())
            for place, each in enumerate(found)
            if isinstance(each, tf.IndexedSlices)
        }
        return StepResult(outputs, float(loss), arrays, slices)

    def sliced(self, slices: Slices, shape: tuple[int, ...]) -> Any:
        return tf.IndexedSlices(
            tf.constant(slices.values), tf.constant(slices.rows), tf.constant(shape, tf.int64)
        )

    def refuses_model(self, model: Any) -> str:
        if tf.distribute.has_strategy() or model._distribute_strategy is not None:
            return "a tf.distribute strategy is in force"
        return ""

    def reordered(
        self, data: tuple[Any, Any, Any], order: Callable[[], NDArray[np.int64]], batch_size: int
    ) -> tuple[dict[str, Any], Callable[[], None]]:
        # Keras copies arrays into a tf.data.Dataset when a training begins, so their rows cannot be moved.
        packed = keras.utils.pack_x_y_sample_weight(*_as_tuples(data))
        tensors = tf.nest.map_structure(tf.constant, packed)
        count = int(tf.nest.flatten(tensors)[0].shape[0])
        batches = -(-count // batch_size)

        def batches_of_rows() -> Any:
            rows = order()
            for first in range(0, count, batch_size):
                yield rows[first : first + batch_size]

        def gather(rows: Any) -> Any:
            return tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)

        spec = tf.TensorSpec((None,), tf.int64)
        dataset = tf.data.Dataset.from_generator(batches_of_rows, output_signature=spec)
        dataset = dataset.map(gather).apply(tf.data.experimental.assert_cardinality(batches))
        return {"x": dataset}, lambda: None

    def packed(self, ids: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
        return ids.astype(np.int64) << _SECOND

    def unpacked(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        return ids >> _SECOND

    def with_sums(self, ids: Any, owners: Any) -> Any:
        if isinstance(owners, np.ndarray):
            ids += (owners.astype(np.int64) << _FIRST)[:, None]
            return ids
        return ids + tf.bitwise.left_shift(tf.cast(owners, tf.int64), _FIRST)[:, None]

    def without_copy(self, array: NDArray[Any]) -> Any:
        return without_copy(array)

    def rows_summed(self, kernel: Any, words: Any, count: int) -> Any:
        # TensorFlow's gradient of taken rows is an IndexedSlices, which Keras's optimizers treat as
        # updates of single rows; that of a product is the whole matrix, as for a Dense layer.
        # Two int32 are the halves of an int64: to stack columns takes TensorFlow two to three times as long.
        pairs = tf.bitcast(words, tf.int32)
        # On a GPU that must be deterministic, the sparse product raises when it runs.
        if through_xla.get() or not self.computes_on_cpu():
            return super().rows_summed(kernel * 1.0, (pairs[..., 1], pairs[:, 0, 0]), count)
        # Three times faster than to take and add rows, and no operation of XLA.
        padded = tf.concat([kernel, tf.zeros((1, kernel.shape[1]), kernel.dtype)], axis=0)
        return tf.raw_ops.SparseTensorDenseMatMul(
            a_indices=tf.reshape(pairs, (-1, 2)),
            a_values=tf.ones((tf.size(words),)),
            a_shape=tf.stack([tf.cast(count, tf.int64), kernel.shape[0] + 1]),
            b=padded,
        )

    def entry(self, tensor: Any, number: Any) -> Any:
        # A view; what is taken is a copy.
        return tensor[number]

    def unused_rows(self, count: Any, size: int) -> Any:
        if isinstance(count, int):
            return super().unused_rows(count, size)
        # Whoever asks how many rows there are would have all of them made: they are of one number each, and
        # known to the graph as of a size that is not looked at.
        rows = tf.zeros(tf.stack([count, tf.minimum(count, 1)]))
        rows.set_shape((None, size))
        return rows

    def to_device(self, arrays: Any) -> Any:
        return tf.nest.map_structure(tf.constant, arrays)

    def program(
        self, model: Any, training: Pass, validation: Pass | None, *, epochs: int
    ) -> Program:
        return TensorFlowProgram(model, training, validation, epochs)

    def weight_gradients(
        self, call: Any, inputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[NDArray[Any]]:
        weights = [variable.value for variable in call.model.trainable_variables]
        with tf.GradientTape() as tape:
            outputs = call([tf.convert_to_tensor(value) for value in inputs])
            total = tf.add_n(
                [tf.reduce_sum(o * c) for o, c in zip(outputs, cotangents, strict=True)]
            )
        found = tape.gradient(total, weights, unconnected_gradients="zero")
        return [tf.convert_to_tensor(gradient).numpy() for gradient in found]

    def upstream(self, run: Callable[[], tuple[Any, Sequence[Any]]]) -> list[Any]:
        with tf.GradientTape() as tape:
            loss, tensors = run()
        return list(tape.gradient(loss, list(tensors)))

    def pulled_back(
        self,
        function: Callable[[list[Any]], list[Any]],
        tensors: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            outputs = function(list(tensors))
        sources = [*tensors, *(variable.value for variable in variables)]
        found = tape.gradient(outputs, sources, output_gradients=list(cotangents))
        dense = [None if each is None else tf.convert_to_tensor(each) for each in found]
        return dense[: len(tensors)], dense[len(tensors) :]


def _as_tuples(structure: Any) -> Any:
    """Lists as tuples: tf.data stacks a list of tensors, and Keras hands tuples to a step for that reason."""
    if isinstance(structure, (list, tuple)):
        return tuple(_as_tuples(part) for part in structure)
    if isinstance(structure, dict):
        return {key: _as_tuples(part) for key, part in structure.items()}
    return structure


BACKEND = TensorFlowBackend()
