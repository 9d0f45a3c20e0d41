"""Train one model as a recipe says, the same way on every backend."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import keras

from portable_models.data.order import order_digest
from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.data.samples import ArraySamples, Batch, Samples
from portable_models.losses import (
    BinaryCrossentropyOfProbabilities,
    CategoricalCrossentropyOfProbabilities,
    SparseCategoricalCrossentropyOfProbabilities,
)
from portable_models.random import dropout_mask_digest, portable_random
from portable_models.training.engine import Engine, EpochReport, Job, choose
from portable_models.training.first_job import offer
from portable_models.training.history import Training
from portable_models.training.probe import batches_digest
from portable_models.training.progress import console_progress
from portable_models.training.recipe import Named, Recipe
from portable_models.training.rounding import round_otherwise
from portable_models.training.weights import weights_digest

OF_PROBABILITIES = {
    "binary_crossentropy": BinaryCrossentropyOfProbabilities,
    "categorical_crossentropy": CategoricalCrossentropyOfProbabilities,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropyOfProbabilities,
}
"""Losses that Keras computes otherwise on TensorFlow for saturated outputs -> the same everywhere."""


def fit(
    model: Any,
    samples: Samples | tuple[Any, Any] | tuple[Any, Any, Any],
    recipe: Recipe,
    *,
    validation: Samples | tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
    pipeline: str = "numpy",
    engine: str = "compiled",
    progress: bool | EpochReport = False,
    replica: int = 0,
    prove: bool = True,
    programs: dict[Any, Any] | None = None,
) -> Training:
    """Compile ``model`` as the recipe says, train it, and say what went in and what came out.

    Build the model inside ``with portable_random(recipe.seed):`` and its initial weights, like the
    dropout masks drawn here, are the same on every backend.

    Args:
        model: a Keras model with its weights built, or one that builds at its first call.
        samples: what is trained on: ``Samples``, ``(x, y)`` or ``(x, y, sample_weight)``.
        recipe: the settings of the training.
        validation: what is measured after each epoch, or None.
        pipeline: how samples reach Keras: numpy, pandas, tf.data, torch.DataLoader or PyDataset.
        engine: ``"compiled"`` (whole epochs as one program) or ``"keras"`` (``Model.fit``); what cannot be
            compiled runs on ``"keras"``, and the result says why.
        progress: True prints a line of progress; a function is called after each epoch instead.
        replica: above 0, the training is rounded otherwise at every step; see ``round_otherwise``.
        prove: digest the batches of the first epoch as Keras delivers them, and the first dropout masks.
        programs: given to several calls, lets the later ones use what the first compiled; their models and
            recipes must be alike in all but seeds.

    Returns:
        The history, with the engine that ran and the digests of what went in.

    Raises:
        ValueError: an unknown pipeline, engine, optimizer, loss or metric.
        PipelineUnavailableError: a package that the pipeline needs is not installed.
    """
    source = pipeline_named(pipeline)
    source.require()
    rows = as_samples(samples)
    on_epoch = console_progress if progress is True else (progress or None)
    job = Job(
        model,
        rows,
        recipe,
        source,
        None if validation is None else as_samples(validation),
        on_epoch,
        {} if programs is None else programs,
    )
    with portable_random(recipe.seed):
        _build(model, rows)
        compile_model(model, recipe)
        round_otherwise(model, replica)
        offer(job, engine)
        chosen, reason = choose(engine, job)
        digests = _digests(job, chosen) if prove else {}
        history = chosen.run(job)
    return Training(history, engine=chosen.name, engine_reason=reason, digests=digests)


def compile_model(model: Any, recipe: Recipe) -> None:
    """``model.compile`` with the recipe's optimizer, loss and metrics, each made anew."""
    model.compile(
        optimizer=make_optimizer(recipe.optimizer),
        loss=_losses(recipe.loss),
        metrics=_own(recipe.metrics) or None,
        loss_weights=_own(recipe.loss_weights),
    )


def _losses(given: Any) -> Any:
    """Losses by name as objects; crossentropies are those that are the same on every backend."""
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: _losses(value) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_losses(value) for value in given]
    if isinstance(given, str) and given in OF_PROBABILITIES:
        return OF_PROBABILITIES[given]()
    return _own(given)


def make_optimizer(named: Named) -> Any:
    """A new optimizer from its name or config."""
    return keras.optimizers.get(named if isinstance(named, str) else _own(named))


def as_samples(given: Samples | tuple[Any, Any] | tuple[Any, Any, Any]) -> Samples:
    """``(x, y)`` and ``(x, y, sample_weight)`` as samples; samples as they are."""
    return ArraySamples(*Batch(*given)) if isinstance(given, tuple) else given


def _own(settings: Any) -> Any:
    """A copy that Keras may keep and change: it takes lists and dicts, not tuples and read-only maps."""
    if isinstance(settings, Mapping):
        return {key: _own(value) for key, value in settings.items()}
    if isinstance(settings, (list, tuple)):
        return [_own(value) for value in settings]
    return copy.copy(settings)


def _build(model: Any, samples: Samples) -> None:
    """Make the weights of a model that only builds when it is called."""
    if not model.built:
        import numpy as np

        model(samples.take(np.arange(1)).x)


def _digests(job: Job, engine: Engine) -> dict[str, str]:
    recipe = job.recipe
    return {
        "order": order_digest(
            len(job.samples), seed=recipe.seed, epochs=recipe.epochs, shuffle=recipe.shuffle
        ),
        "batches": batches_digest(engine.delivered(job)),
        "initial_weights": weights_digest(job.model),
        "dropout_masks": dropout_mask_digest(job.model),
    }
