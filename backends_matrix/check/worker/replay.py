"""The phase ``replay``: every call is given the judge's inputs, so that its error is its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.calls import Call, Observer, Run
from backends_matrix.check.worker.pulling import pulled_back
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.subject import Subject, begin_states_anew
from backends_matrix.check.worker.tensors import (
    arrays_of,
    float_positions,
    like,
    ones_of_unit,
    replaced,
    tensors_of,
    tied,
)
from portable_models.training.states import values

Array = NDArray[Any]

MOVES = 2


def run_replay(subject: Subject, recorder: Recorder, command: Mapping[str, Any]) -> None:
    """Run the model once, each call on the judge's inputs, and hand the judge's outputs on."""
    subject.restore()
    name = "training" if command["training"] else "inference"
    with recorder.stage(name) as found:
        with np.load(Path(command["judge"]) / f"record.{name}.npz", allow_pickle=False) as held:
            recorded = {key: held[key] for key in held.files}
        player = _Player(subject, recorded, bool(command["training"]))
        found |= player.play()
    subject.restore()


class _Player:
    def __init__(self, subject: Subject, recorded: dict[str, Array], training: bool) -> None:
        self._subject, self._recorded, self._training = subject, recorded, training
        self._found: dict[str, dict[str, Array]] = {
            "out": {},
            "move": {},
            "pull": {},
            "pullmove": {},
        }
        self._calls: list[dict[str, Any]] = []
        self._missing: list[str] = []
        self._failures: dict[str, str] = {}
        self._changed: dict[str, float] = {}
        self._observer = Observer(self._handle, subject.loaded.root)

    def play(self) -> dict[str, Any]:
        """Run it."""
        with self._observer.watching():
            self._subject.model(self._subject.tensors(self._subject.x), training=self._training)
        return {
            "calls": self._calls,
            "missing": self._missing,
            "failures": self._failures,
            "changed": self._changed,
            **{f"@{group}": arrays for group, arrays in self._found.items()},
        }

    def _of(self, group: str, key: str) -> list[Array]:
        prefix = f"{group}/{key}/"
        found: list[Array] = []
        while (name := f"{prefix}{len(found)}") in self._recorded:
            found.append(self._recorded[name])
        return found

    def _handle(self, call: Call, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = self._of("in", call.key)
        tensors = tensors_of((args, kwargs))
        shapes = [array.shape for array in given]
        if shapes != [tuple(tensor.shape) for tensor in tensors] or not self._of("out", call.key):
            self._missing.append(call.key)
            return run(args, kwargs)
        self._calls.append(call.to_dict() | {"number": call.number})
        args, kwargs = replaced((args, kwargs), lambda place, tensor: like(given[place], tensor))
        state = values(call.target.non_trainable_variables) if call.kind == "layer" else []
        before = [np.array(each) for each in arrays_of((args, kwargs))]
        outputs = run(args, kwargs)
        moved = max(map(_distance, before, arrays_of((args, kwargs))), default=0.0)
        if moved > 0.0:
            self._changed[call.key] = moved
            # The other calls of the same input, and the gradients, are those of the judge's input.
            args, kwargs = replaced((args, kwargs), lambda place, old: like(before[place], old))
        after = values(call.target.non_trainable_variables) if call.kind == "layer" else []
        mine = arrays_of(outputs)
        self._put("out", call, mine)
        try:
            count = len(float_positions(tensors_of(outputs)))
            self._look_again(call, run, args, kwargs, given, state, mine, count)
        except Exception as error:  # a call that cannot be repeated is still compared once
            self._failures[call.key] = f"{type(error).__name__}: {error}"[:300]
        _assign(call, after)
        judged = self._of("out", call.key)
        if [each.shape for each in judged] != [each.shape for each in mine]:
            return outputs
        return replaced(outputs, lambda place, tensor: like(judged[place], tensor))

    def _look_again(
        self,
        call: Call,
        run: Run,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        given: list[Array],
        state: list[Array],
        mine: list[Array],
        count: int,
    ) -> None:
        """How far the call's results move with its inputs; its own gradients, and how far those move."""
        rng = np.random.default_rng(self._subject.seed)
        # An operation without weights rounds nothing before its kink: an input of exactly 1 is exact.
        weighs = call.kind == "layer" and bool(call.target.variables)
        upstream = [self._recorded.get(f"up/{call.key}/{index}") for index in range(count)]
        pulls: list[dict[str, Array]] = []
        with self._observer.quiet():
            _assign(call, state)
            pulls.append(pulled_back(call, run, args, kwargs, upstream))
            largest = [0.0] * len(mine)
            for _ in range(MOVES):
                shifted = tied(given, [ones_of_unit(each, rng, whole=weighs) for each in given])
                new_args, new_kwargs = replaced((args, kwargs), partial(_shifted, shifted))
                _assign(call, state)
                other = arrays_of(run(new_args, new_kwargs))
                largest = [
                    max(known, _distance(one, two))
                    for known, one, two in zip(largest, mine, other, strict=True)
                ]
                _assign(call, state)
                pulls.append(pulled_back(call, run, new_args, new_kwargs, upstream))
        self._put("move", call, [np.array(each) for each in largest])
        for name, array in pulls[0].items():
            self._found["pull"][f"{call.key}/{name}"] = array
            moves = [_distance(array, other[name]) for other in pulls[1:] if name in other]
            self._found["pullmove"][f"{call.key}/{name}"] = np.array(max(moves, default=0.0))

    def _put(self, group: str, call: Call, arrays: list[Array]) -> None:
        for index, array in enumerate(arrays):
            self._found[group][f"{call.key}/{index}"] = array


def _shifted(arrays: list[Array], place: int, tensor: Any) -> Any:
    return like(arrays[place], tensor)


def _assign(call: Call, state: list[Array]) -> None:
    if call.kind == "layer":
        begin_states_anew(call.target)
        for variable, value in zip(call.target.non_trainable_variables, state, strict=False):
            variable.assign(value)


def _distance(first: Array, second: Array) -> float:
    if first.shape != second.shape or first.dtype.kind not in "fc":
        return 0.0
    with np.errstate(invalid="ignore"):
        between = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return float(np.nanmax(between, initial=0.0))
