"""Jobs: what ``fit`` and ``fit_many`` were given, made ready for an engine."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.data.samples import ArraySamples, MultiHotSamples, Samples
from portable_models.training.arguments import (
    DEFAULT_BATCH,
    Given,
    random_order_of,
    split_at,
    try_samples,
    unpack,
)
from portable_models.training.checkpoint import Checkpoint, Keeper
from portable_models.training.engines.engine import EpochReport, Job
from portable_models.training.programs.grouping import build
from portable_models.training.recipe import Recipe
from portable_models.training.settings import Settings


def user_job(
    model: Any,
    keywords: Mapping[str, Any],
    *,
    seed: int,
    pipeline: str | None,
    checkpoint: Checkpoint | None,
) -> Job:
    """The job of one call of ``fit``.

    Args:
        model: a compiled model.
        keywords: arguments of ``Model.fit``, as they were given.
        seed: of the order of samples and of layers without a seed.
        pipeline: how the samples reach Keras, or None for as they are.
        checkpoint: where the training is kept, or None.

    Raises:
        ValueError: arguments that do not go together; there is nothing to train or validate on.
    """
    class_weight = keywords["class_weight"]
    samples, why_not = try_samples(
        keywords["x"], keywords["y"], keywords["sample_weight"], class_weight
    )
    validation, why_not_validation = _validation(keywords["validation_data"])
    keywords = dict(keywords)
    if keywords["validation_split"] and keywords["validation_data"] is None and samples is not None:
        parts = split_at(samples, keywords["validation_split"])
        if parts is None:
            why_not = why_not or "validation_split leaves one part empty"
        else:
            samples, validation = parts
            if class_weight is not None:
                # Keras weighs classes of the training rows only.
                validation = ArraySamples(validation.x, validation.y)  # type: ignore[attr-defined]
    why_not = why_not or why_not_validation
    for name in ("steps_per_epoch", "validation_steps"):
        if keywords[name] is not None and not why_not:
            why_not = f"{name} cuts the data into parts that are not epochs"
    if keywords["epochs"] <= keywords["initial_epoch"]:
        why_not = why_not or "there is no epoch to run"
    _require_rows(samples, validation)
    if pipeline is not None and why_not:
        raise ValueError(
            f"pipeline={pipeline!r} hands arrays over, and {why_not}. Leave pipeline out to train on the "
            "data as it is"
        )
    steps = keywords["steps_per_epoch"]
    batch = keywords["batch_size"] or (
        -(-len(samples) // steps) if steps and samples is not None else DEFAULT_BATCH
    )
    frequency = keywords["validation_freq"]
    if isinstance(frequency, np.integer):
        frequency = int(frequency)
    settings = Settings(
        epochs=operator.index(keywords["epochs"]),
        batch_size=batch,
        seed=seed,
        shuffle=bool(keywords["shuffle"]),
        callbacks=_callbacks(keywords["callbacks"]),
        initial_epoch=operator.index(keywords["initial_epoch"]),
        validation_freq=frequency if isinstance(frequency, int) else list(frequency),
        validation_batch_size=keywords["validation_batch_size"] or batch,
        verbose=keywords["verbose"],
    )
    studied = pipeline is not None or _is_library_samples(keywords["x"])
    if studied and why_not:
        raise ValueError(f"the library's samples were given, and {why_not}")
    # The order of the training rows is ours, whatever validation needs Keras for.
    whole_epochs = steps is None and settings.epochs > settings.initial_epoch
    ordered = samples is not None and whole_epochs and settings.shuffle
    if ordered and validation is not None and keywords["validation_split"]:
        # Keras would split again.
        keywords["validation_data"] = tuple(
            part for part in validation.take(np.arange(len(validation))) if part is not None
        )
        keywords["validation_split"] = 0.0
    elif not ordered:
        keywords["shuffle"] = _own_order(keywords, samples)
    given = None if studied else Given(keywords, ordered, why_not)
    source = pipeline_named(pipeline or "numpy")
    job = Job(model, samples, settings, source, validation, None, given=given)
    job.pipeline.require()
    return job if checkpoint is None else keep(job, checkpoint)


def recipe_job(
    model: Any,
    samples: Samples,
    recipe: Recipe,
    *,
    validation: Samples | None,
    pipeline: str,
    on_epoch: EpochReport | None,
) -> Job:
    """The job of one training of a study, whose model the recipe has compiled."""
    _require_rows(samples, validation)
    settings, source = Settings.of(recipe), pipeline_named(pipeline)
    source.require()
    return Job(model, samples, settings, source, validation, on_epoch)


def keep(job: Job, checkpoint: Checkpoint) -> Job:
    """The job with a checkpoint of its own.

    Raises:
        ValueError: see ``Keeper``; or only Keras can read the data.
    """
    if job.samples is None:
        why_not = job.given.why_not_arrays if job.given else ""
        raise ValueError(
            f"a checkpoint belongs to data that can be read by row, and {why_not}. Leave checkpoint out"
        )
    build(job)
    return replace(job, keeper=Keeper(checkpoint, job.model, job.samples, job.settings))


def as_samples(given: Any) -> Samples:
    """``x``, ``(x, y)`` and ``(x, y, sample_weight)`` as samples; samples as they are.

    Raises:
        ValueError: the arrays cannot be read by row.
    """
    found, why_not = try_samples(*unpack(given))
    if found is None:
        raise ValueError(
            f"expected samples, or arrays as (x, y) or (x, y, sample_weight), but {why_not}"
        )
    return found


def _validation(given: Any) -> tuple[Samples | None, str]:
    if given is None:
        return None, ""
    samples, why_not = try_samples(*unpack(given))
    return samples, why_not and f"of validation_data, {why_not}"


def _require_rows(samples: Samples | None, validation: Samples | None) -> None:
    for what, part in (("training", samples), ("validation", validation)):
        if part is not None and not len(part):
            raise ValueError(f"the {what} data is empty: it has 0 rows, and at least 1 is needed")


def _is_library_samples(x: Any) -> bool:
    return isinstance(x, (ArraySamples, MultiHotSamples))


def _callbacks(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, keras.callbacks.CallbackList):
        return (given,)
    return tuple(given) if isinstance(given, (list, tuple)) else (given,)


def _own_order(keywords: Mapping[str, Any], samples: Samples | None) -> Any:
    """The ``shuffle`` that Keras gets for data whose order is not ours; says where it is random."""
    x, shuffle = keywords["x"], keywords["shuffle"]
    reason = random_order_of(x)
    if isinstance(x, keras.utils.PyDataset):
        # Keras would shuffle its batches by Python's unseeded generator.
        shuffle = False
    elif shuffle and (
        samples is not None or hasattr(x, "shape") or isinstance(x, (list, tuple, dict))
    ):
        reason = "Keras shuffles this data itself, differently on each backend"
    if reason:
        warnings.warn(
            f"{reason}: that two trainings see the same samples in the same order cannot be promised. Use "
            "arrays, or a fixed order (shuffle=False)",
            OrderWarning,
            stacklevel=4,
        )
    return shuffle


class OrderWarning(UserWarning):
    """The order of the samples is random and not drawn from the seed."""
