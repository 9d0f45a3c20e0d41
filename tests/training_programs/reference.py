"""Run a program: with ``Model.fit``, which is the reference, or with ``portable_models.fit``."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from observing import Trained, Watcher, end_state, files_in, process_state
from programs import Program

import portable_models
from portable_models.data.order import epoch_order

SEED = 11
Train = Callable[..., Any]


def run(
    program: Program,
    train: Train,
    watcher: type[Watcher] | None = None,
    disturb: Callable[[Any, list[dict[str, Any]]], None] | None = None,
) -> Trained:
    """Build the program's model, train it, and collect what can be seen.

    Args:
        program: what is run.
        train: called with the model and the arguments of each ``fit``; gives its history.
        watcher: a callback that is added in front of the program's own, or none.
        disturb: changes model and arguments before the training: plants a difference.
    """
    trained = Trained()
    keras.utils.clear_session(free_memory=False)
    keras.config.set_dtype_policy("float32")
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        folder = Path(name)
        with portable_models.portable_random(0):
            model = program.build()
        fits = program.fits(folder)
        if watcher is not None:
            for fit in fits:
                own = fit.get("callbacks") or []
                own = own if isinstance(own, (list, tuple)) else [own]
                fit["callbacks"] = [watcher(), *own]
        if disturb is not None:
            disturb(model, fits)
        before = process_state(model)
        for number, fit in enumerate(fits):
            history = train(model, fit)
            trained.steps += len(history.epoch) * int(history.params.get("steps") or 1)
            trained.engine = getattr(history, "engine", "Model.fit")
            trained.reason = getattr(history, "engine_reason", "")
            trained.seen[f"fit {number}"] = end_state(model, history, fits)
        after = process_state(model)
        trained.seen["left in the process"] = {
            key: value for key, value in after.items() if value != before[key]
        }
        trained.seen["files"] = files_in(folder)
    trained.warnings = [
        f"{each.category.__name__}: {each.message}"
        for each in caught
        # Of Keras's own variables under NumPy 2, at every assignment; see pyproject.toml.
        if "doesn't accept a copy" not in str(each.message)
    ]
    return trained


def model_fit(model: Any, fit: dict[str, Any]) -> Any:
    """``Model.fit`` in the order of the data."""
    with portable_models.portable_random(SEED), own_results(model):
        return model.fit(**{"verbose": 0, **fit, "shuffle": False})


@contextmanager
def own_results(model: Any) -> Iterator[None]:
    """Inside, the results of metrics are values of their own on PyTorch.

    There the result of a metric that only sums is the variable itself. Model.fit keeps it while it validates,
    which resets the variable: it reports validation's counts as training's (keras 3.15.1). That is a fault of
    Keras's, which the library does not repeat, so the reference must not either.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    results = model.get_metrics_result

    def copied() -> dict[str, Any]:
        return {
            name: value.clone() if keras.ops.is_tensor(value) else value
            for name, value in results().items()
        }

    model.get_metrics_result = copied
    try:
        yield
    finally:
        del model.get_metrics_result


def portable_fit(engine: str = "compiled", *, shuffle: bool = False) -> Train:
    """``portable_models.fit`` with an engine."""

    def train(model: Any, fit: dict[str, Any]) -> Any:
        given = {"verbose": 0, **fit, "shuffle": shuffle}
        return portable_models.fit(model, **given, seed=SEED, engine=engine)

    return train


class HeldBack(keras.callbacks.CallbackList):
    """Callbacks that see one training, though ``Model.fit`` is called once for each epoch."""

    def on_train_begin(self, logs=None):
        pass

    def on_train_end(self, logs=None):
        self.last_logs = logs

    def begin(self):
        super().on_train_begin()

    def end(self):
        super().on_train_end(self.last_logs)


def shuffled_model_fit(model: Any, fit: dict[str, Any]) -> Any:
    """``Model.fit``, epoch after epoch, on rows in the order that ``epoch_order`` draws.

    Raises:
        NotPermutedError: the data are no arrays, or steps and splits make an epoch something else.
    """
    fit = {"verbose": 0, "epochs": 1, **fit}
    rows = _rows(fit)
    epochs, first = fit.pop("epochs"), fit.pop("initial_epoch", 0)
    steps = -(-rows // (fit.get("batch_size") or 32))
    callbacks = HeldBack(
        fit.pop("callbacks", None),
        add_history=True,
        model=model,
        verbose=0,
        epochs=epochs,
        steps=steps,
    )
    optimizer = model.optimizer
    # Averaged weights are put in place when a fit ends: once here, at the real end.
    with portable_models.portable_random(SEED), own_results(model):
        optimizer.finalize_variable_values = lambda trainable_variables: None
        try:
            callbacks.begin()
            for epoch in range(first, epochs):
                order = epoch_order(rows, seed=SEED, epoch=epoch)
                given = {
                    name: _permuted(fit.get(name), order) for name in ("x", "y", "sample_weight")
                }
                model.fit(
                    **(fit | given),
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    shuffle=False,
                    callbacks=callbacks,
                )
                if model.stop_training:
                    break
        finally:
            del optimizer.finalize_variable_values
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.end()
    return model.history


class NotPermutedError(ValueError):
    """What the reference cannot permute here."""


TRACED_ANEW = {"loss_weights_in_callback"}
"""Programs in which a callback changes what Keras has traced: a second ``fit`` would see it, one does not."""


def can_be_permuted(program: Program) -> bool:
    """Whether ``shuffled_model_fit`` takes every ``fit`` of a program."""
    if program.name.rpartition("/")[2] in TRACED_ANEW:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            for fit in program.fits(Path(folder)):
                _rows(fit)
        except NotPermutedError:
            return False
    return True


def _rows(fit: dict[str, Any]) -> int:
    leaves = keras.tree.flatten([fit.get(name) for name in ("x", "y", "sample_weight")])
    leaves = [leaf for leaf in leaves if leaf is not None]
    plain = all(isinstance(leaf, np.ndarray) for leaf in leaves)
    if not plain or {"validation_split", "steps_per_epoch"} & set(fit):
        raise NotPermutedError("only NumPy arrays without steps and splits are permuted here")
    return len(leaves[0])


def _permuted(data: Any, order: Any) -> Any:
    return None if data is None else keras.tree.map_structure(lambda leaf: leaf[order], data)
