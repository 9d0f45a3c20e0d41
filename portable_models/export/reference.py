"""What the source model gives: outputs, gradients, and how far it moves under the smallest changes."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend import current
from portable_models._keras.layers import all_layers
from portable_models.export.comparison import UNIT
from portable_models.export.errors import ExportError
from portable_models.export.inspection import View
from portable_models.export.probes import Probe, probes
from portable_models.export.randomness import find_random

Array = NDArray[Any]

REPLICAS = 8
"""How many times the model is moved by one unit in the last place to measure the floor.

The floor is the root mean square of what these moves do. One move says little: on the IMDB classifier, fed
with large inputs, sixteen of them gave anything from 3e-11 to 1.9e-5."""

LATENCY_CALLS = 9


def measure(
    seen: View,
    batch: int,
    out: Path,
    *,
    gradients: bool,
    sample: Mapping[str, Array] | None = None,
) -> dict[str, Any]:
    """Run the source model on every probe and write all of it to ``out`` (an ``.npz`` file).

    Arrays in the file: ``P/in/I``, ``P/out/J`` and ``P/floor/J`` for probe P, input I, output J; with
    gradients also ``cotangent/J`` and, for the first probe, ``gradient/K`` and ``gradient_floor/K`` for
    trainable variable K.

    Returns:
        What a JSON file can hold: the probes, the outputs that are random, the source's latency and versions.

    Raises:
        ExportError: the model does not run on what was drawn for it.
    """
    chosen, found_outputs, left_out = _runnable(seen, probes(seen.signature, batch, sample=sample))
    arrays: dict[str, Array] = {}
    for index, (probe, outputs) in enumerate(zip(chosen, found_outputs, strict=True)):
        arrays |= {f"{index}/in/{i}": value for i, value in enumerate(probe.inputs)}
        arrays |= {f"{index}/out/{j}": value for j, value in enumerate(outputs)}
    random = find_random(seen, chosen[0].inputs, _outputs)
    cotangents = _cotangents([arrays[f"0/out/{j}"] for j in range(len(seen.signature.outputs))])
    # Words are not differentiated, and the gradient of noise is noise.
    gradients = gradients and not random and not _takes_words(seen)
    if gradients:
        arrays |= {f"cotangent/{j}": value for j, value in enumerate(cotangents)}
        found = current().weight_gradients(seen, chosen[0].inputs, cotangents)
        arrays |= {f"gradient/{k}": value for k, value in enumerate(found)}
    arrays |= _floors(seen, chosen, arrays, cotangents if gradients else None)
    np.savez(out, **arrays)  # type: ignore[arg-type]  # NumPy's stub reads names as options
    return {
        "probes": [{"name": probe.name, "batch": probe.batch} for probe in chosen],
        "signature": seen.signature.to_dict(),
        "random": random,
        "left_out": left_out,
        "precision": precision(seen.model),
        "trainable": [variable.path for variable in seen.model.trainable_variables],
        "latency_s": _latency(seen, chosen[0]),
        "versions": {"keras": keras.__version__, **current().versions()},
    }


def precision(model: Any) -> str:
    """The roughest dtype that a layer of the model computes in."""
    computed = {str(layer.compute_dtype) for layer in all_layers(model)}
    return next((dtype for dtype in ("bfloat16", "float16") if dtype in computed), "float32")


def _takes_words(seen: View) -> bool:
    return any(tensor.dtype == "string" for tensor in seen.signature.inputs)


def _runnable(
    seen: View, drawn: Sequence[Probe]
) -> tuple[list[Probe], list[list[Array]], list[str]]:
    """The probes that the model runs on, its outputs, and why others were left out.

    Beside a user's sample, drawn inputs may be ones that the model was never made for.
    """
    chosen: list[Probe] = []
    outputs: list[list[Array]] = []
    left_out: list[str] = []
    for probe in drawn:
        try:
            outputs.append(_outputs(seen, probe.inputs))
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            if probe.name == "sample" or not any(each.name == "sample" for each in chosen):
                raise ExportError(
                    f"the source model does not run on {probe.name} inputs of batch {probe.batch} "
                    f"({type(error).__name__}: {text}); give inputs that it takes: --sample FILE.npz"
                ) from error
            left_out.append(f"{probe.name} inputs of batch {probe.batch}: {text}")
        else:
            chosen.append(probe)
    return chosen, outputs, left_out


def _outputs(seen: View, inputs: Sequence[Array]) -> list[Array]:
    """The model's inference, compiled where Keras compiles it; outputs as NumPy arrays."""
    if seen.keywords:
        # predict takes one structure of inputs; a call with several arguments is made directly.
        found = seen([keras.ops.convert_to_tensor(value) for value in inputs])
    elif _takes_words(seen):
        found = seen([keras.ops.convert_to_tensor(value) for value in inputs])
    else:
        found = keras.tree.flatten(seen.model.predict_on_batch(seen.pack(inputs)))
    return [_plain(np.asarray(keras.ops.convert_to_numpy(value))) for value in found]


def _plain(value: Array) -> Array:
    """NumPy cannot write bfloat16 to a file."""
    return value.astype(np.float32) if value.dtype.name == "bfloat16" else value


def _cotangents(outputs: Sequence[Array]) -> list[Array]:
    """Fixed weights of the outputs' elements in the scalar whose gradient is compared.

    Random, because ones would hide a faulty gradient of softmax, whose outputs sum to one.
    """
    rng = np.random.default_rng(1)
    return [rng.standard_normal(value.shape).astype(value.dtype) for value in outputs]


def _floors(
    seen: View, chosen: Sequence[Probe], arrays: dict[str, Array], cotangents: list[Array] | None
) -> dict[str, Array]:
    squares: dict[str, float] = {}
    rough = precision(seen.model)

    def note(key: str, moved: Array, unmoved: Array) -> None:
        with np.errstate(invalid="ignore"):
            gap = np.abs(moved.astype(np.float64) - unmoved.astype(np.float64))
        largest = float(np.max(gap, where=np.isfinite(gap), initial=0.0))
        squares[key] = squares.get(key, 0.0) + largest**2

    for replica in range(REPLICAS):
        rng = np.random.default_rng(1000 + replica)
        with _moved(seen.model, rng, rough):
            for index, probe in enumerate(chosen):
                inputs = [_move(value, rng, rough) for value in probe.inputs]
                for j, value in enumerate(_outputs(seen, inputs)):
                    note(f"{index}/floor/{j}", value, arrays[f"{index}/out/{j}"])
            if cotangents is not None:
                found = current().weight_gradients(seen, chosen[0].inputs, cotangents)
                for k, value in enumerate(found):
                    note(f"gradient_floor/{k}", value, arrays[f"gradient/{k}"])
    return {
        key: np.sqrt(np.asarray(value / REPLICAS, np.float64)) for key, value in squares.items()
    }


@contextlib.contextmanager
def _moved(model: Any, rng: np.random.Generator, rough: str) -> Iterator[None]:
    """Every weight moved by one unit in the last place, up or down, and put back afterwards."""
    kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]
    try:
        for variable, value in zip(model.variables, kept, strict=True):
            variable.assign(_move(value, rng, rough))
        yield
    finally:
        for variable, value in zip(model.variables, kept, strict=True):
            variable.assign(value)


def _move(value: Array, rng: np.random.Generator, rough: str = "float32") -> Array:
    # Exact zeros stay: the number next to zero is 1e-45, which no rounding of a sum ever gives.
    if value.dtype not in (np.float32, np.float64):
        return value
    if rough in UNIT:
        units = np.where(rng.random(value.shape) < 0.5, -UNIT[rough], UNIT[rough])
        # Half of a unit is what rounding to this dtype does at most.
        return (value * (1 + units / 2)).astype(value.dtype)
    away = np.where(rng.random(value.shape) < 0.5, -np.inf, np.inf).astype(value.dtype)
    moved: Array = np.where(value == 0, value, np.nextafter(value, away))
    return moved


def _latency(seen: View, probe: Probe) -> float:
    """Median seconds of ``predict_on_batch`` (compiled where Keras compiles), after two warm calls."""
    times = []
    for _ in range(LATENCY_CALLS + 2):
        start = time.perf_counter()
        _outputs(seen, probe.inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])
