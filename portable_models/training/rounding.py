"""Replicas: the same training, rounded otherwise at every step.

Two correct backends differ in the last bits of every sum, at every step, and in how each rounds a
model's outputs. A replica does the same on purpose, on one backend, so that the distance between replicas
shows how far rounding alone carries a training: the noise floor of a verdict. This is random rounding in the
sense of Monte Carlo arithmetic (D. S. Parker, "Monte Carlo Arithmetic: exploiting randomness in
floating-point arithmetic", 1997), applied where the values are stored rather than at every operation.
"""

from __future__ import annotations

from typing import Any

import keras

from portable_models.training.weights import perturb_last_bit

HALF_UNITS = {
    name: 2.0**-digits * (1 + 2.0**-10)
    for name, digits in {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}.items()
}
"""A little more than half a unit in the last place of 1, as a part of it: 1 plus it rounds up."""


def round_otherwise(model: Any, replica: int) -> None:
    """Make the training of a compiled model round as another machine would.

    - The initial weights are moved by one unit in the last place.
    - After each update, every trainable weight is moved by one unit in the last place with probability
      one half, up or down: an update is a sum that was rounded.
    - Losses and metrics see every output moved by one unit in the last place: up in replicas of odd
      number, down in those of even number. An activation that a backend rounds otherwise moves all
      outputs the same way, and some losses magnify it: the crossentropy of a saturated sigmoid
      changes by up to ln 2 when the probability 1 - 2**-23 loses its last bit.

    What tells replicas apart are values of variables, so that one program trains all of them.

    Args:
        model: a built and compiled Keras model, of any backend; changed.
        replica: which replica; 0 leaves the model as it is.
    """
    if not replica:
        return
    perturb_last_bit(model, replica)
    direction = _direction(model, replica)
    model.optimizer = _rounding_otherwise(model.optimizer, replica)
    model.compute_loss = _with_moved_outputs(model.compute_loss, direction)
    model.compute_metrics = _with_moved_outputs(model.compute_metrics, direction)


def _direction(model: Any, replica: int) -> Any:
    """1 or -1: a variable of the metric that keeps the mean loss, float32.

    Losses and metrics may read that one on every backend, and it belongs to no layer. A model without such a
    metric is of a class of the user's, which shares its program with no other, and gets a constant.
    """
    value = 1.0 if replica % 2 else -1.0
    for metric in model.metrics:
        # The class itself: its reset_state leaves other variables than its own two as they are.
        if type(metric) is keras.metrics.Mean and metric.name == "loss":
            constant = keras.initializers.Constant(value)
            return metric.add_variable((), constant, dtype="float32", name="direction")
    return value


def _rounding_otherwise(optimizer: Any, replica: int) -> Any:
    """The same optimizer, of a class whose updates are rounded at random."""
    kind = type(optimizer)
    first = keras.initializers.Constant(replica)
    drawn_from = optimizer.add_variable((), first, dtype="int32", name="replica")

    class RoundingOtherwise(kind):  # type: ignore[misc, valid-type]  # a class known when it runs
        def apply(self, grads: Any, trainable_variables: Any = None) -> None:
            step = keras.ops.cast(self.iterations, "int32")
            super().apply(grads, trainable_variables)
            salt = keras.ops.convert_to_tensor(drawn_from)
            for variable in trainable_variables or self._trainable_variables:
                salt = salt + 1
                variable.assign(_moved(variable.value, _signs(variable.shape, step, salt)))

    RoundingOtherwise.__name__ = kind.__name__
    optimizer.__class__ = RoundingOtherwise
    return optimizer


def _with_moved_outputs(compute: Any, direction: float) -> Any:
    def with_moved_outputs(
        x: Any = None, y: Any = None, y_pred: Any = None, *rest: Any, **named: Any
    ) -> Any:
        moved = keras.tree.map_structure(
            lambda output: _moved(output, keras.ops.cast(direction, output.dtype)), y_pred
        )
        return compute(x, y, moved, *rest, **named)

    return with_moved_outputs


def _moved(value: Any, direction: Any) -> Any:
    """``value`` moved by one unit in the last place: up, down or not at all; zeros stay.

    Half a unit or more, as it is here, rounds to a whole one.
    """
    half = HALF_UNITS.get(keras.backend.standardize_dtype(value.dtype))
    if half is None:
        return value
    return keras.ops.add(value, keras.ops.multiply(value, direction * half))


def _signs(shape: Any, step: Any, salt: Any) -> Any:
    """Numbers -1, 0, 0 or 1, drawn anew for each entry and step; float32 of the given shape.

    Two rounds of an integer hash (multiply, fold the upper half into the lower). It need not be of the
    quality of ``portable_random``, and costs a tenth.
    """
    ops = keras.ops
    size = 1
    for length in shape:
        size *= int(length)
    word = ops.arange(size, dtype="int32") + step * 40_503 + salt * 7_919
    for factor in (0x45D9F3B, 0x119DE1F3):
        word = ops.bitwise_xor(word, ops.bitwise_right_shift(word, 16)) * factor
    first = ops.bitwise_and(ops.bitwise_right_shift(word, 16), 1)
    second = ops.bitwise_and(ops.bitwise_right_shift(word, 17), 1)
    return ops.reshape(ops.cast(first - second, "float32"), shape)
