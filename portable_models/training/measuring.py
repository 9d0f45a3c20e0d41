"""``evaluate`` and ``predict``: what a trained model makes of data, of every kind that ``fit`` takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.data.samples import ArraySamples, MultiHotSamples, Samples
from portable_models.training.arguments import DEFAULT_BATCH
from portable_models.training.evaluation import evaluated
from portable_models.training.requirements import require_compiled, require_keras_model


def evaluate(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    sample_weight: Any = None,
    steps: int | None = None,
    verbose: Any = 0,
) -> dict[str, float]:
    """Measure a compiled model on data.

    Args:
        model: a compiled Keras model.
        x: what ``fit`` takes. Bags of words (``Samples`` of the library) are never made one dense matrix.
        y: targets, where ``x`` does not hold them.
        batch_size: samples per step; 32 where None, as in Keras.
        sample_weight: weights of the samples.
        steps: batches, of data that does not end.
        verbose: as of ``Model.evaluate``.

    Returns:
        Loss and metrics by name.

    Raises:
        TypeError: ``model`` is no Keras model.
        ValueError: it is not compiled, or there are no rows; what ``Model.evaluate`` raises.
    """
    require_keras_model(model)
    require_compiled(model)
    if isinstance(x, (ArraySamples, MultiHotSamples)):
        samples = _own_samples(x, y, sample_weight)
        size = batch_size or DEFAULT_BATCH
        if isinstance(x, MultiHotSamples) and (found := evaluated(model, samples, size)):
            return found[0]
        feed = pipeline_named("PyDataset").feed(samples, np.arange(len(samples)), size)
        measured = model.evaluate(**feed.arguments(), return_dict=True, verbose=verbose)
    else:
        measured = model.evaluate(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            steps=steps,
            return_dict=True,
            verbose=verbose,
        )
    return dict(measured)


def predict(
    model: Any,
    x: Any,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    verbose: Any = 0,
) -> Any:
    """The outputs of a model for data.

    Args:
        model: a Keras model.
        x: what ``fit`` takes; targets in it are not looked at.
        batch_size: samples per step; 32 where None, as in Keras.
        steps: batches, of data that does not end.
        verbose: as of ``Model.predict``.

    Returns:
        NumPy arrays with one row for each sample, in the structure of the model's outputs.

    Raises:
        TypeError: ``model`` is no Keras model.
        ValueError: there are no rows; what ``Model.predict`` raises.
    """
    require_keras_model(model)
    if not isinstance(x, (ArraySamples, MultiHotSamples)):
        return model.predict(x, batch_size=batch_size, steps=steps, verbose=verbose)
    samples = _own_samples(x, None, None)
    feed = pipeline_named("PyDataset").feed(
        samples, np.arange(len(samples)), batch_size or DEFAULT_BATCH
    )
    return model.predict(**feed.arguments(), verbose=verbose)


def _own_samples(samples: Samples, y: Any, sample_weight: Any) -> Samples:
    if y is not None or sample_weight is not None:
        raise ValueError("samples hold their targets and weights: give neither beside them")
    if not len(samples):
        raise ValueError("the data is empty: it has 0 rows, and at least 1 is needed")
    return samples
