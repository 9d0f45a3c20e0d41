"""The model under check in one process, with the inputs and weights that all processes share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.inputs import make_inputs, make_targets, read_sample
from backends_matrix.check.worker.loading import Loaded, build
from backends_matrix.check.worker.signature import fixed_batch
from backends_matrix.check.worker.statistics import float_statistics, seed_states
from backends_matrix.check.worker.tensors import SMALL_WHOLE
from backends_matrix.check.worker.variable_order import VariableOrder
from portable_models._backend import current
from portable_models._keras.layers import all_layers
from portable_models.training.states import moved, readable, values

Array = NDArray[Any]

PART = 5
"""Rows of a batch: 8 rows are a whole one and a partial one."""

LEARNING_RATE = 0.05
"""Of the SGD that trains a model which was not compiled: no adaptive optimizer, whose steps magnify noise."""


@dataclass
class Subject:
    """One target in one process.

    Args:
        loaded: the imported target.
        seed: of everything that is drawn.
        double: this process is a judge in float64.
        sample: path of ``--sample``, or "".
    """

    loaded: Loaded
    seed: int
    double: bool
    sample: str
    model: Any = None
    x: Any = None
    y: Any = None
    start: list[Array] = field(default_factory=list)
    was_compiled: bool = False
    notes: list[str] = field(default_factory=list)
    precision: str = "float32"
    part: int = PART
    order: VariableOrder = field(default_factory=VariableOrder)

    def fresh(self) -> Any:
        """A new model with the shared initial weights, compiled; not called yet."""
        model = build(self.loaded, self.seed)
        self.compile(model)
        if self.double:
            # A judge need not be compiled, and tracing costs more than a few steps.
            model.run_eagerly = True
        if model.built and self.start:
            self.put(model, self.start)
        return model

    def compile(self, model: Any) -> None:
        """Compile a model that its builder left uncompiled."""
        if getattr(model, "compiled", False):
            return
        loss = self.loaded.extra("LOSS")
        own_step = type(model).train_step is not keras.Model.train_step
        if loss is None and not own_step:
            loss = "mse"
        model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE), loss=loss)

    def make_inputs(self) -> None:
        """Draw this process's own inputs."""
        self.x = make_inputs(self.loaded, self.model, read_sample(self.sample), self.seed)
        # A model for batches of one size gets no other.
        self.part = fixed_batch(self.model) or PART

    def make_targets(self, outputs: Any) -> None:
        """Draw this process's own targets for outputs of these shapes."""
        loss = self.model.loss if self.was_compiled else self.loaded.extra("LOSS")
        own_step = type(self.model).train_step is not keras.Model.train_step
        own_loss = type(self.model).compute_loss is not keras.Model.compute_loss
        if loss is None and not (self.was_compiled or own_step or own_loss):
            loss = "mse"
        self.y = make_targets(
            self.loaded, self.model, outputs, loss, read_sample(self.sample), self.seed
        )

    def take_shared(self, folder: Path) -> None:
        """Replace inputs, targets and weights by those of the reference process.

        Args:
            folder: where its ``build`` phase left them.
        """
        self.x = _packed(self.x, _read(folder / "build.inputs.npz", "x"))
        if self.y is not None:
            self.y = _packed(self.y, _read(folder / "build.forward.npz", "y"))
        weights = _read(folder / "build.weights.npz", "weights")
        self.order = VariableOrder(_names(folder / "build.json"))
        own = values(self.variables(self.model))
        if [each.shape for each in own] == [each.shape for each in weights]:
            self.start = weights
            self.restore()
        else:
            self.start = own
            self.notes.append("the model has other weights here than on the reference backend")

    def restore(self, model: Any = None) -> None:
        """Put the initial weights back."""
        self.put(self.model if model is None else model, self.start)

    def put(self, model: Any, arrays: list[Array]) -> None:
        """Assign all variables of a model, in the shared order, and begin recurrent states anew."""
        for variable, array in zip(self.variables(model), arrays, strict=True):
            variable.assign(array)
        begin_states_anew(model)

    def variables(self, model: Any) -> list[Any]:
        """All variables of a model, in the shared order."""
        return self.order.sort(model.variables)

    def trainable(self, model: Any) -> list[Any]:
        """The trainable variables of a model, in the shared order."""
        return self.order.sort(model.trainable_variables)

    def statistics(self, model: Any) -> list[Any]:
        """The floating-point variables that are not trainable, in the shared order."""
        return self.order.sort(float_statistics(model))

    def tensors(self, structure: Any) -> Any:
        """Arrays as tensors; floating-point numbers in this process's precision."""
        return keras.tree.map_structure(self.tensor, structure)

    def tensor(self, array: Any) -> Any:
        """One array as a tensor; None as it is, and strings where only TensorFlow has tensors of them."""
        if array is None or not isinstance(array, np.ndarray):
            return array
        if array.dtype.kind in "USO":
            return current().text(array)
        return keras.ops.convert_to_tensor(self.own_precision(array))

    def own_precision(self, array: Array) -> Array:
        """An array as this process computes with it."""
        if array.dtype.kind == "f" and (self.double or array.dtype == np.float64):
            return array.astype("float64" if self.double else "float32")
        return array

    def arrays(self, structure: Any) -> Any:
        """Inputs for ``fit`` and ``predict``."""
        return keras.tree.map_structure(
            lambda leaf: None if leaf is None else self._array(leaf), structure
        )

    def _array(self, array: Array) -> Any:
        if not isinstance(array, np.ndarray):
            return array
        return current().text(array) if array.dtype.kind in "USO" else self.own_precision(array)

    def moved(self, number: int) -> tuple[Any, list[Array]]:
        """Inputs and weights with every floating-point number moved by one unit in the last place.

        Integers, strings and the states of seed generators stay, and so do biases of small whole numbers,
        which lie on the bounds of activations. Scales of ones are moved: a normalisation at a large offset
        shows by them how badly it is conditioned.
        """
        rng = np.random.default_rng([self.seed, 3, number])
        x = keras.tree.map_structure(lambda leaf: _shift(leaf, rng, self.precision), self.x)
        other = moved(self.start, rng, self.precision)
        for place, variable in enumerate(self.variables(self.model)):
            if variable.name == "bias" and _holds_constants(self.start[place]):
                other[place] = self.start[place]
        return x, other

    def flat(self, structure: Any) -> list[Array]:
        """Tensors as NumPy arrays, in order."""
        return flat_arrays(structure)


def stateful_layers(layer: Any) -> list[Any]:
    """The recurrent layers, of a model or in a layer, that go on from one batch to the next."""
    return [
        each
        for each in all_layers(layer)
        if isinstance(each, keras.layers.RNN) and getattr(each, "stateful", False)
    ]


def begin_states_anew(layer: Any) -> None:
    """Set the states of recurrent layers to zero; they are no variables of the model."""
    for each in stateful_layers(layer):
        each.reset_state()


def reset_seeds(model: Any, subject: Subject) -> None:
    """Put seed generators back to where the shared state has them, and recurrent states to zero.

    Files do not hold them, and every call of a model that draws in inference moves them on.
    """
    begin_states_anew(model)
    pairs = zip(subject.variables(subject.model), subject.start, strict=False)
    known = {id(variable): array for variable, array in pairs}
    arrays = [known[id(each)] for each in seed_states(subject.model) if id(each) in known]
    for variable, array in zip(seed_states(model), arrays, strict=False):
        if tuple(variable.shape) == array.shape:
            variable.assign(array)


def flat_arrays(structure: Any) -> list[Array]:
    """The leaves of a structure of tensors as NumPy arrays."""
    return [
        readable(keras.ops.convert_to_numpy(leaf))
        for leaf in keras.tree.flatten(structure)
        if leaf is not None
    ]


def _shift(leaf: Any, rng: np.random.Generator, precision: str) -> Any:
    if leaf is None or leaf.dtype.kind != "f" or _holds_integers(leaf):
        return leaf
    return moved([leaf.astype("float32")], rng, precision)[0].astype("float32")


def _holds_integers(array: Array) -> bool:
    """Ids and classes may come as floats; they are not moved, since they would become others."""
    return bool(array.size) and bool(np.all(np.floor(array) == array))


def _holds_constants(array: Array) -> bool:
    """Whether all numbers are small and whole, as what initializers of zeros, ones and identities give."""
    if array.dtype.kind != "f" or not _holds_integers(array):
        return False
    return bool(np.all(np.abs(array) <= SMALL_WHOLE))


def _packed(structure: Any, arrays: list[Array]) -> Any:
    own = keras.tree.flatten(structure)
    if len(own) != len(arrays):
        return structure
    return keras.tree.pack_sequence_as(structure, arrays)


def _read(path: Path, group: str) -> list[Array]:
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as held:
        count = sum(key.startswith(f"{group}/") for key in held.files)
        return [held[f"{group}/{index}"] for index in range(count)]


def _names(path: Path) -> list[str]:
    """The paths of the reference's variables, as its ``build`` phase has left them."""
    try:
        stage = json.loads(path.read_text(encoding="utf-8")).get("weights") or {}
    except (OSError, ValueError):
        return []
    return list(stage.get("data", {}).get("names", []))


Phase = Callable[[Subject, Any, Mapping[str, Any], Path], None]
