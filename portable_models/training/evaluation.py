"""What a trained model makes of samples: loss, metrics and outputs, in one pass through them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.program import first_line, scalar_logs
from portable_models._keras.building import build_by_shapes, clear_losses
from portable_models._keras.layers import all_layers
from portable_models.data.samples import Array, Indices, MultiHotSamples, Samples
from portable_models.training.identity import program_key
from portable_models.training.programs.group import NotCompiledWarning
from portable_models.training.programs.kernel_sum import Bags, bags_in_order, cut, first_dense
from portable_models.training.programs.rows import Rows, first_row, rows_of

_STEPS = ("test_step", "predict_step")


def evaluated(
    model: Any, samples: Samples, batch_size: int
) -> tuple[dict[str, float], Array] | None:
    """What ``evaluate`` and ``predict`` give, of samples that are gone through once.

    Bags of words are never dense, not even batch by batch.

    Args:
        model: a compiled model.
        samples: what it is measured on.
        batch_size: samples in a batch.

    Returns:
        Loss and metrics by name, and the outputs for all samples; or None for what is left to Keras: several
        outputs, steps of the model's own, layers that cannot be compiled, samples that are no numbers, and
        what fails while it runs, with a warning.
    """
    try:
        return _evaluated(model, samples, batch_size)
    except current().run_errors as error:
        warnings.warn(
            f"measuring failed while it ran ({first_line(error)}); Keras measures the model",
            NotCompiledWarning,
            stacklevel=2,
        )
        return None


def _evaluated(
    model: Any, samples: Samples, batch_size: int
) -> tuple[dict[str, float], Array] | None:
    if len(getattr(model, "outputs", None) or ()) != 1 or not _steps_are_keras_own(model):
        return None
    # The metrics of a model that has seen no samples have no variables yet.
    build_by_shapes(model, first_row(samples))
    if isinstance(samples, MultiHotSamples):
        layer = first_dense(model, samples.dimension)
        if layer is None:
            return None
        bags = Bags(layer)
        alike = _alike(len(samples), batch_size)
        batches = cut(np.arange(len(samples)), alike)
        with bags.taken():
            return _pass(model, bags_in_order(samples, alike, bags), batches)
    rows = rows_of(samples)
    return None if rows is None else _pass(model, rows, cut(np.arange(len(samples)), batch_size))


def _steps_are_keras_own(model: Any) -> bool:
    """Whether ``evaluate`` and ``predict`` do what is done here, and compile it."""
    return (
        not model.run_eagerly
        and all(layer.supports_jit for layer in all_layers(model))
        and not any(name in vars(model) for name in _STEPS)
        and all(getattr(type(model), name) is getattr(keras.Model, name) for name in _STEPS)
    )


def _alike(count: int, batch_size: int) -> int:
    """A size of batches near to this one, with which all are of one length and so one graph."""
    alike = max(size for size in range(1, batch_size + 1) if count % size == 0)
    return alike if 2 * alike > batch_size else batch_size


_SHARED: ContextVar[dict[Any, tuple[Any, Any]] | None] = ContextVar("shared", default=None)


@contextlib.contextmanager
def steps_shared() -> Iterator[None]:
    """Inside, models that are proven alike are measured by one compiled step, each with its own values."""
    token = _SHARED.set({})
    try:
        yield
    finally:
        _SHARED.reset(token)


def _variables(model: Any) -> list[Any]:
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.metrics_variables,
    ]


def _step_for(model: Any, rows: Rows) -> tuple[Any, Any]:
    """A compiled test step, and the model that it was made of, which may be another one like this."""
    shared = _SHARED.get()
    # Bags of words go to the layer of one model.
    if shared is None or rows.kind[0] != "arrays":
        return current().called_often(_test_step(model, rows)), model
    key = (program_key(model), rows.kind)
    if key not in shared:
        shared[key] = current().called_often(_test_step(model, rows)), model
    return shared[key]


def _test_step(model: Any, rows: Rows) -> Any:
    variables = _variables(model)

    def step(state: Any, tensors: Any, places: Any) -> Any:
        """A test step of Keras, which keeps what the model puts out."""
        x, y, weight = rows.gather(tensors, places)
        mapping = list(zip(variables, state, strict=True))
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            outputs = model(x, training=False)
            loss = model.compute_loss(x, y, outputs, weight, training=False)
            model.compute_metrics(x, y, outputs, weight)
            metrics = scalar_logs(model.get_metrics_result())
        return outputs, loss, metrics, [scope.get_current_value(each) for each in variables]

    return step


def _pass(model: Any, rows: Rows, batches: list[Indices]) -> tuple[dict[str, float], Array]:
    variables = _variables(model)
    # Tensors, as every step leaves them: TensorFlow would trace once more for what was a variable.
    values = [keras.ops.copy(variable) for variable in variables]
    with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
        model.reset_metrics()
    state = [scope.get_current_value(variable) for variable in variables]
    tensors = current().to_device(rows.arrays)
    run, origin = _step_for(model, rows)
    found, total = [], 0.0
    metrics: dict[str, Any] = {}
    try:
        for batch in batches:
            places = keras.ops.convert_to_tensor(rows.places(batch))
            outputs, loss, metrics, state = run(state, tensors, places)
            found.append(keras.ops.convert_to_numpy(outputs))
            total += float(loss) * len(batch)
    finally:
        # A layer knows its penalties by the ids of objects that are gone now.
        clear_losses(origin)
    measured = {name: float(value) for name, value in metrics.items()}
    return measured | {"loss": total / sum(map(len, batches))}, np.concatenate(found)
