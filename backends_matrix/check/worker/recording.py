"""The phase ``record``: the judge's own inputs, outputs and gradients of every call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.calls import Call, Observer, Run
from backends_matrix.check.worker.pulling import pulled_back
from backends_matrix.check.worker.recorder import Recorder, StageSkipped
from backends_matrix.check.worker.subject import Subject, begin_states_anew
from backends_matrix.check.worker.tensors import arrays_of, float_positions, replaced, tensors_of
from portable_models._backend import current
from portable_models._keras.calls import call_in_training
from portable_models.training.states import readable, values

Array = NDArray[Any]

LARGEST = 256 << 20
"""Bytes of all recorded arrays; a larger model is not localised."""


def run_record(subject: Subject, recorder: Recorder, command: Mapping[str, Any]) -> None:
    """Record a forward pass in inference, or one in training with its gradients."""
    subject.restore()
    name = "training" if command["training"] else "inference"
    with recorder.stage(name) as found:
        tape = _Tape(subject)
        found |= tape.training() if command["training"] else tape.inference()
    subject.restore()


class _Tape:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._calls: list[Call] = []
        self._arrays: dict[str, Array] = {}
        self._size = 0
        self._outputs: list[tuple[Call, Any]] = []
        self._again: list[tuple[Call, Run, tuple[Any, ...], dict[str, Any], list[Array]]] = []
        self._producers: dict[int, list[list[int]]] = {}
        # Tensors whose identity is known are kept: another tensor would get it.
        self._alive: list[Any] = []
        self._observer = Observer(self._handle, subject.loaded.root, recipes=True)

    def _handle(self, call: Call, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = tensors_of((args, kwargs))
        self._keep(call, "in", arrays_of(given))
        call.extra["sources"] = [self._producers.get(id(tensor), []) for tensor in given]
        state = values(call.target.non_trainable_variables) if call.kind == "layer" else []
        outputs = run(args, kwargs)
        self._calls.append(call)
        self._keep(call, "out", arrays_of(outputs))
        # A tensor of its own, so that its gradient is that of this call's result alone, wherever else the
        # tensor is used: a layer may return what it was given.
        before = tensors_of(outputs)
        outputs = replaced(
            outputs, lambda _, tensor: tensor + 0 if self._training and _float(tensor) else tensor
        )
        after = tensors_of(outputs)
        self._alive += [given, before]
        # A layer may hand on what a call inside of it has made: then both have made it.
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            known = self._producers.get(id(old), [])
            self._producers[id(new)] = [*known, [call.number, number]]
        call.extra["single"] = len(after) == 1 and outputs is after[0]
        self._outputs.append((call, outputs))
        self._again.append((call, run, args, kwargs, state))
        return outputs

    _training = False

    def _keep(self, call: Call, group: str, arrays: list[Array]) -> None:
        self._size += sum(array.nbytes for array in arrays)
        if self._size > LARGEST:
            raise StageSkipped(f"the model's intermediate results take over {LARGEST >> 20} MiB")
        for index, array in enumerate(arrays):
            # A copy: a layer may change its input in place, whose memory the array shares.
            self._arrays[f"{group}/{call.key}/{index}"] = np.array(array)

    def inference(self) -> dict[str, Any]:
        """Forward in inference."""
        x = self._subject.tensors(self._subject.x)
        with self._observer.watching():
            self._subject.model(x, training=False)
        return self._result()

    def training(self) -> dict[str, Any]:
        """Forward in training, the loss, and what flows back into each call's outputs."""
        subject, model = self._subject, self._subject.model
        x, y = subject.tensors(subject.x), subject.tensors(subject.y)
        self._training = True

        def run() -> tuple[Any, list[Any]]:
            with self._observer.watching():
                outputs = call_in_training(model, x)
            loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=None, training=True)
            return loss, [each for _, each in self._floats()]

        upstream = current().upstream(run)
        by_call: dict[str, list[Array | None]] = {}
        for (call, _), gradient in zip(self._floats(), upstream, strict=True):
            array = None
            if gradient is not None:
                array = readable(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(gradient)))
            places = by_call.setdefault(call.key, [])
            if array is not None:
                self._arrays[f"up/{call.key}/{len(places)}"] = array
            places.append(array)
        for call, again, args, kwargs, state in self._again:
            if call.kind == "layer":
                begin_states_anew(call.target)
                for variable, value in zip(
                    call.target.non_trainable_variables, state, strict=False
                ):
                    variable.assign(value)
            found = pulled_back(call, again, args, kwargs, by_call.get(call.key, []))
            self._arrays |= {f"pull/{call.key}/{name}": array for name, array in found.items()}
        return self._result()

    def _floats(self) -> list[tuple[Call, Any]]:
        found = []
        for call, outputs in self._outputs:
            tensors = tensors_of(outputs)
            found += [(call, tensors[place]) for place in float_positions(tensors)]
        return found

    def _result(self) -> dict[str, Any]:
        calls = sorted(self._calls, key=lambda call: call.number)
        return {
            "calls": [call.to_dict() | {"number": call.number} for call in calls],
            **{f"@{group}": _group(self._arrays, group) for group in ("in", "out", "up", "pull")},
        }


def _group(arrays: dict[str, Array], group: str) -> dict[str, Array]:
    return {
        key[len(group) + 1 :]: array for key, array in arrays.items() if key.startswith(f"{group}/")
    }


def _float(tensor: Any) -> bool:
    return bool(float_positions([tensor])) and bool(np.prod(tensor.shape) >= 0)
