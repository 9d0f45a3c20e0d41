"""``fit``: train a Keras model as it was compiled, the same way on every backend."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portable_models.resolution import nonportable_losses
from portable_models.training.checkpoint import Checkpoint
from portable_models.training.history import Training
from portable_models.training.jobs import user_job
from portable_models.training.recipe import Recipe
from portable_models.training.requirements import (
    LossWarning,
    by_recipe,
    compile_anew,
    require_compiled,
    require_keras_model,
)
from portable_models.training.train import one_training, train


def fit(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    validation_data: Any = None,
    validation_split: float = 0.0,
    validation_freq: int | Sequence[int] = 1,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    callbacks: Any = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    shuffle: bool = True,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    verbose: Any = "auto",
    seed: int = 0,
    engine: str = "compiled",
    pipeline: str | None = None,
    recipe: Recipe | None = None,
    checkpoint: Checkpoint | str | None = None,
    devices: int | None = None,
) -> Training:
    """Train a compiled model; the arguments are those of ``Model.fit``.

    What the model was compiled with is what trains it. Inside, Keras draws portable numbers from the
    layers' own seeds, so that dropout masks are the same on every backend; build the model inside
    ``with portable_random(seed):`` and its initial weights are, too.

    Args:
        model: a compiled Keras model.
        x: inputs: an array or data frame, a list, tuple or dict of them, the library's ``Samples``, or
            anything else that ``Model.fit`` reads (``tf.data.Dataset``, ``DataLoader``, ``PyDataset``,
            generator), which keeps its own order.
        y: targets, where ``x`` does not hold them.
        batch_size: samples per step; 32 where None, as in Keras.
        epochs: the epoch to end after.
        validation_data: ``(x, y)``, ``(x, y, sample_weight)``, ``Samples``, or a data set.
        validation_split: the part of the rows, from the end, that validates.
        validation_freq: every how many epochs validation runs, or after which ones.
        validation_steps: validation batches, of a data set that does not end.
        validation_batch_size: samples per validation step; ``batch_size`` where None.
        callbacks: callback objects.
        sample_weight: weights of the samples.
        class_weight: weights of the classes, by class index.
        shuffle: draw a new order for each epoch from ``seed``, the same on every backend and engine; False
            keeps the order of the data. Data that only Keras can read keeps its own order.
        initial_epoch: the first epoch, counted from 0.
        steps_per_epoch: batches per epoch, of data that does not end.
        verbose: 0, 1, 2 or ``"auto"``.
        seed: decides the order of samples, and draws of layers without a seed.
        engine: ``"compiled"`` (whole epochs as one program) or ``"keras"`` (``Model.fit``). What cannot be
            compiled runs on ``Model.fit``, with a warning that says why.
        pipeline: hand the samples over through this pipeline (``"tf.data"``, ``"torch.DataLoader"``, …);
            None takes the data as it is.
        recipe: compile the model as this recipe says, and train by its settings.
        checkpoint: keep the training in a file, and resume it where the file is there.
        devices: None or 1; training on several devices is not supported yet.

    Returns:
        The history, as Keras's: ``history``, ``epoch``, ``params``, ``model``; and ``engine``,
        ``engine_reason`` and ``digests`` of what went in.

    Raises:
        ValueError: the model is not compiled, or an argument does not fit; what ``Model.fit`` raises.
        TrainingInterrupted: Ctrl-C was pressed; it holds the history so far.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse")
        >>> fit(model, np.zeros((8, 2)), np.zeros(8), epochs=2, verbose=0).epoch
        [0, 1]
    """
    if devices not in (None, 1):
        raise ValueError(f"fit() trains on one device; got devices={devices}. Leave it out")
    given = {
        "batch_size": batch_size,
        "epochs": epochs,
        "validation_freq": validation_freq,
        "validation_steps": validation_steps,
        "validation_batch_size": validation_batch_size,
        "callbacks": callbacks,
        "class_weight": class_weight,
        "shuffle": shuffle,
        "initial_epoch": initial_epoch,
        "steps_per_epoch": steps_per_epoch,
    }
    require_keras_model(model)
    if recipe is not None:
        given, seed = by_recipe(recipe, given, seed)
        compile_anew(model, recipe)
    require_compiled(model)
    for message in nonportable_losses(model):
        warnings.warn(message, LossWarning, stacklevel=2)
    data = {
        "x": x,
        "y": y,
        "sample_weight": sample_weight,
        "validation_data": validation_data,
        "validation_split": validation_split,
    }
    keeps = Checkpoint(checkpoint) if isinstance(checkpoint, (str, Path)) else checkpoint
    keywords = {**data, **given, "verbose": verbose}
    with one_training():
        job = user_job(model, keywords, seed=seed, pipeline=pipeline, checkpoint=keeps)
        return train([job], engine=engine, warn=True)[0]
