"""Does an exported folder compute what the Keras model computes, where Keras is not?"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend import current
from portable_models.export.comparison import compare, magnitude
from portable_models.export.errors import ExportError
from portable_models.export.inspection import View
from portable_models.export.result import Check
from portable_models.export.torch_module.artifact import ARCHITECTURE
from portable_models.export.torch_module.call_inputs import look_at

Array = NDArray[Any]

BATCHES = (1, 5, 17)

GRADIENT_FACTOR = 4.0
"""How many times the output's tolerance a gradient may be off.

A gradient passes the layers twice and sums over the batch, so more roundings meet in it. Seen on the models
of the tests: up to 1e-6 of a variable's largest gradient."""

GRADIENT_SHARE = 0.1
"""The least scale of a variable's gradient, as a share of the largest gradient in the model.

Some gradients are sums that cancel to 0 (the bias of an attention's keys), and have no scale of their own."""


@dataclass(frozen=True, eq=False)
class _Pair:
    """A folder, what it is asked, what the Keras model answers, and how far that moves by rounding."""

    folder: Path
    request: dict[str, Array]
    expected: dict[str, Array]
    floors: dict[str, float]


def verify(model: Any, folder: str | Path, batches: Sequence[int] = BATCHES) -> list[Check]:
    """Compare an exported folder with its source, in a fresh process in which keras cannot be imported.

    Outputs are compared on random inputs at every batch size, weight gradients at the last one, both in
    inference mode. Outputs may be off by 1e-6 of their scale over all batches, or, where that is more, by
    four times what the Keras model's own outputs move when its inputs move by one unit in the last place.

    Args:
        model: the Keras model, under the backend of this process.
        folder: what :func:`export_torch_module` wrote.
        batches: batch sizes.

    Returns:
        One check for each output and batch, and one for each trainable variable.

    Raises:
        ExportError: the folder does not run; the message holds the last line of what went wrong.
    """
    return verify_all([(model, Path(folder))], batches)[0]


def verify_all(
    pairs: Sequence[tuple[Any, Path]], batches: Sequence[int] = BATCHES
) -> list[list[Check]]:
    """:func:`verify` for several (model, folder) in one process."""
    asked = [_ask(model, folder, batches) for model, folder in pairs]
    return [
        [_check(name, value, found, pair) for name, value in pair.expected.items()]
        for pair, found in zip(asked, _isolated(asked), strict=True)
    ]


def _ask(model: Any, folder: Path, batches: Sequence[int]) -> _Pair:
    seen = look_at(model)
    request: dict[str, Array] = {}
    expected: dict[str, Array] = {}
    floors: dict[str, float] = {}
    current().require_full_precision()
    for batch in batches:
        inputs = [_random(tensor, batch) for tensor in seen.signature.inputs]
        outputs = _outputs(seen, inputs)
        request |= {f"{batch}/in/{i}": value for i, value in enumerate(inputs)}
        moved = _outputs(seen, [_nudged(value) for value in inputs])
        for i, (value, other) in enumerate(zip(outputs, moved, strict=True)):
            expected[f"{batch}/out/{i}"] = value
            floors[f"{batch}/out/{i}"] = magnitude(other - value)
    rng = np.random.default_rng(1)
    cotangents = [rng.standard_normal(value.shape).astype(value.dtype) for value in outputs]
    request |= {f"{batch}/cotangent/{i}": value for i, value in enumerate(cotangents)}
    keys = json.loads((folder / ARCHITECTURE).read_text(encoding="utf-8"))["trainable"]
    for key, value in zip(keys, current().weight_gradients(seen, inputs, cotangents), strict=True):
        if key is not None:
            expected[f"{batch}/gradient/{key}"] = value
    return _Pair(folder, request, expected, floors)


def _largest(expected: dict[str, Array]) -> float:
    return max((magnitude(v) for name, v in expected.items() if "/gradient/" in name), default=0.0)


def _check(name: str, expected: Array, found: dict[str, Array], pair: _Pair) -> Check:
    batch, kind, rest = name.split("/", 2)
    actual = found.get(name, np.empty((0,), expected.dtype))
    label = f"{kind} {rest}"
    if kind == "gradient":
        scale = max(magnitude(expected), GRADIENT_SHARE * _largest(pair.expected))
    else:
        # Of all batches: an output may come out near 0 for a single row, by numbers that are not and whose
        # rounding it has.
        same = [
            value for each, value in pair.expected.items() if each.split("/", 1)[1] == f"out/{rest}"
        ]
        scale = max(map(magnitude, same))
    checked = compare(label, int(batch), actual, expected, scale or 1.0, pair.floors.get(name, 0.0))
    if kind != "gradient" or checked.difference is None:
        return checked
    tolerance = GRADIENT_FACTOR * checked.tolerance
    passed = checked.difference <= tolerance
    reason = f"{tolerance:.0e} of the variable's largest gradient"
    return dataclasses.replace(checked, tolerance=tolerance, passed=passed, reason=reason)


def _random(tensor: Any, batch: int) -> Array:
    rng = np.random.default_rng(batch)
    shape = (batch, *(7 if length is None else length for length in tensor.shape[1:]))
    dtype = np.dtype(tensor.dtype)
    if dtype.kind in "iu":
        return rng.integers(0, tensor.limit or 2, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    return rng.standard_normal(shape).astype(dtype)


def _nudged(value: Array) -> Array:
    """Each number moved by one unit in the last place, up or down: what no computation can resolve."""
    if value.dtype.kind != "f":
        return value
    up = np.random.default_rng(0).random(value.shape) < 0.5
    moved: Array = np.nextafter(value, np.where(up, np.inf, -np.inf).astype(value.dtype))
    return moved


def _outputs(seen: View, inputs: Sequence[Array]) -> list[Array]:
    if seen.keywords:
        # predict takes one structure of inputs; a call with several arguments is made directly.
        outputs = seen([keras.ops.convert_to_tensor(value) for value in inputs])
    else:
        # Compiled: called eagerly, JAX compiles every operation by itself.
        outputs = keras.tree.flatten(seen.model.predict_on_batch(seen.pack(inputs)))
    return [np.asarray(keras.ops.convert_to_numpy(value)) for value in outputs]


def _isolated(asked: Sequence[_Pair]) -> list[dict[str, Array]]:
    with tempfile.TemporaryDirectory() as temporary:
        script = Path(__file__).with_name("isolated.py")
        # -I: neither the working directory nor PYTHONPATH may bring back what the script blocks.
        command = [sys.executable, "-I", str(script)]
        answers = []
        for index, pair in enumerate(asked):
            request, answer = (Path(temporary) / f"{index}.{end}.npz" for end in ("in", "out"))
            np.savez(request, **pair.request)  # type: ignore[arg-type]  # NumPy's stub reads names as options
            command += [str(pair.folder.resolve()), str(request), str(answer)]
            answers.append(answer)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for pair, answer in zip(asked, answers, strict=True):
            if not answer.exists():
                last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
                raise ExportError(f"the exported module in {pair.folder} does not run: {last}")
        return [dict(np.load(answer)) for answer in answers]
