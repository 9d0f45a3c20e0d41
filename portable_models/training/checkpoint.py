"""Stop a training and resume it later, to the same numbers."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from portable_models.data.npz import write_npz
from portable_models.data.samples import Samples
from portable_models.training.history import History, epochs_of
from portable_models.training.identity import training_digest
from portable_models.training.settings import Settings
from portable_models.training.states import values
from portable_models.training.weights import weights_digest


@dataclass(frozen=True)
class Checkpoint:
    """Where a training is kept while it runs, and how often.

    Given to ``fit``, the file is written after every ``every`` epochs and after the last. If it is there
    already, the training goes on from it, and comes out as if it had never stopped. The same file serves a
    recipe with more epochs.

    Args:
        path: an ``.npz`` file of plain arrays: variables of the model and of the optimizer, and the history.
        every: epochs from one writing to the next, at least 1.

    Raises:
        ValueError: ``every`` is below 1, or the file's name does not end in ``.npz``.
    """

    path: Path | str
    every: int = 10

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(
                f"a checkpoint is written every 1 or more epochs; got every={self.every}"
            )
        if Path(self.path).suffix != ".npz":
            raise ValueError(f"the file of a checkpoint must end in .npz; got {self.path}")


class Keeper:
    """A checkpoint of one training.

    Args:
        checkpoint: where and how often.
        model: the built and compiled model, before its first step.
        samples: what it is trained on.
        settings: how it is trained; only the number of epochs may differ from what a file was written with.

    Raises:
        ValueError: there are callbacks, whose own state could not be kept; or the file is damaged, no
            checkpoint, that of another training, or goes further than this training does; or a part of the
            training cannot be told apart from another.
    """

    def __init__(
        self, checkpoint: Checkpoint, model: Any, samples: Samples, settings: Settings
    ) -> None:
        if settings.callbacks:
            raise ValueError(
                "a training with callbacks cannot be left off and gone on with: what they remember is not in "
                "the checkpoint. Train without callbacks, or without a checkpoint"
            )
        self._path = Path(checkpoint.path)
        self._every = checkpoint.every
        self._epochs = settings.epochs
        self._model = model
        model.optimizer.build(model.trainable_variables)
        parts = {
            "settings": _settings_text(settings),
            "model or compile arguments": training_digest(model),
            "samples": samples.digest(),
            "initial weights": weights_digest(model),
        }
        self._belongs = {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in parts.items()
        }
        self._held = self._read() if self._path.exists() else None

    @property
    def done(self) -> int:
        """How many epochs the file holds; 0 where there was none."""
        return 0 if self._held is None else epochs_of(self._held[1])

    def epochs_until_due(self, epoch: int) -> int:
        """How many epochs may run, after ``epoch`` of them, before the file is due again."""
        return self._every - epoch % self._every

    def restore(self) -> History:
        """Put the model where the file left it; the history until then, empty where there was no file."""
        if self._held is None:
            return {}
        arrays, history = self._held
        for variable, array in zip(self._variables(), arrays, strict=True):
            variable.assign(array)
        return history

    def keep(self, epoch: int, history: History) -> None:
        """Write the file if it is due after ``epoch`` epochs; whole or not at all."""
        if epoch % self._every and epoch != self._epochs:
            return
        note = json.dumps({"belongs to": self._belongs, "history": history})
        arrays = {f"variable/{i}": array for i, array in enumerate(values(self._variables()))}
        write_npz(self._path, {"note": np.array(note), **arrays})

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]

    def _read(self) -> tuple[list[Any], History]:
        expected = self._variables()
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                note = json.loads(str(held["note"]))
                belongs, history = note["belongs to"], note["history"]
                arrays = [held[f"variable/{i}"] for i in range(len(held.files) - 1)]
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
            raise ValueError(
                f"{self._path} is no checkpoint of portable_models, or is damaged "
                f"({type(error).__name__}). Remove it to begin anew"
            ) from None
        for name, digest in self._belongs.items():
            if belongs.get(name) != digest:
                raise ValueError(
                    f"{self._path} is the checkpoint of another training, of different {name}. Give another "
                    "path, or remove the file to begin anew"
                )
        shapes = [tuple(variable.shape) for variable in expected]
        if [array.shape for array in arrays] != shapes or not _is_history(history):
            raise ValueError(f"{self._path} is damaged. Remove it to begin anew")
        epochs = epochs_of(history)
        if epochs > self._epochs:
            raise ValueError(
                f"{self._path} is a checkpoint after {epochs} epochs, and {self._epochs} are asked for. "
                "Ask for more epochs, or remove the file"
            )
        return arrays, history


def _settings_text(settings: Settings) -> str:
    weights = settings.class_weight
    held = {
        "batch_size": settings.batch_size,
        "class_weight": None
        if weights is None
        else sorted((int(k), v) for k, v in weights.items()),
        "initial_epoch": settings.initial_epoch,
        "seed": settings.seed,
        "shuffle": settings.shuffle,
        "validation_batch_size": settings.validation_batch_size,
        "validation_freq": settings.validation_freq,
    }
    return json.dumps(held, sort_keys=True)


def _is_history(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(points, list) for points in found.values())
        and all(isinstance(point, float) for points in found.values() for point in points)
        and len({len(points) for points in found.values()}) <= 1
    )
