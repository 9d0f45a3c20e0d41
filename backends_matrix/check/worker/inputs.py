"""Inputs and targets: the user's own, those of a file, or made from the model's signature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.loading import Loaded, TargetError
from backends_matrix.check.worker.signature import FREE_SIZES, InputSpec, signature_of
from portable_models._keras.layers import all_layers
from portable_models.export.reached import Lookup, bounds

Array = NDArray[Any]

BATCH = 8
"""Rows: two batches of 5, of which the last is partial."""

_IMAGE_CHANNELS = (1, 3, 4)
_INTEGERS_BELOW = 10


def make_inputs(
    loaded: Loaded,
    model: Any,
    sample: Mapping[str, Array] | None,
    seed: int,
    sizes: tuple[int, ...] = FREE_SIZES,
) -> Any:
    """The model's argument, as NumPy arrays; the same on every backend.

    Raises:
        UnknownSignatureError: nothing says what the model takes.
        TargetError: what the user gives cannot be used.
    """
    rng = np.random.default_rng([seed, 1])
    if sample is not None:
        return _of_sample(sample, "x")
    example = loaded.extra("example_inputs")
    if example is not None:
        return _as_arrays(_call_example(example, rng, "example_inputs"))
    signature = signature_of(model)
    specs = [spec for spec in keras.tree.flatten(signature) if spec is not None]
    batch = next((spec.batch for spec in specs if spec.batch), BATCH)
    shapes = [(batch, *spec.sized(sizes)) for spec in specs]
    zeros = [np.zeros(shape, _numpy_type(spec)) for spec, shape in zip(specs, shapes, strict=True)]

    def structured(flat: list[Array]) -> Any:
        return keras.tree.pack_sequence_as(signature, flat)

    tensors = [each.dtype.kind != "U" for each in zeros]
    reached = bounds(model, zeros, structured) if all(tensors) else [None] * len(specs)
    text = _some_words(model)
    arrays = [
        _draw(rng, spec, shape, lookup, text)
        for spec, shape, lookup in zip(specs, shapes, reached, strict=True)
    ]
    return structured(arrays)


def make_targets(
    loaded: Loaded,
    model: Any,
    outputs: Any,
    loss: Any,
    sample: Mapping[str, Array] | None,
    seed: int,
) -> Any:
    """What the model is trained towards, of the outputs' structure; None where it needs nothing."""
    if sample is not None and (found := _of_sample(sample, "y")) is not None:
        return found
    rng = np.random.default_rng([seed, 2])
    example = loaded.extra("example_targets")
    if example is not None:
        return _as_arrays(_call_example(example, rng, "example_targets"))
    if loss is None:
        return None
    flat = keras.tree.flatten(outputs)
    losses = _losses_of(loss, outputs, len(flat))
    made = [
        _target(rng, _loss_name(each), output) for each, output in zip(losses, flat, strict=True)
    ]
    return keras.tree.pack_sequence_as(outputs, made)


def read_sample(path: str) -> Mapping[str, Array] | None:
    """The arrays of ``--sample FILE.npz``, without pickles."""
    if not path:
        return None
    with np.load(Path(path), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def _of_sample(sample: Mapping[str, Array], group: str) -> Any:
    """``x`` or ``y`` alone, ``x/name`` as a dict, ``x0, x1 …`` as a list; a lone array is ``x``."""
    if group in sample:
        return sample[group]
    named = {key[2:]: value for key, value in sample.items() if key.startswith(f"{group}/")}
    if named:
        return named
    numbered = [sample[f"{group}{index}"] for index in range(64) if f"{group}{index}" in sample]
    if numbered:
        return numbered
    rest = [value for key, value in sample.items() if key[0] not in "xy"]
    return rest[0] if group == "x" and len(rest) == 1 else None


def _call_example(function: Any, rng: np.random.Generator, name: str) -> Any:
    takes = len(inspect.signature(function).parameters)
    if takes not in (1, 2):
        raise TargetError(f"{name} takes {takes} arguments; expected {name}(rng, batch)")
    return function(rng, BATCH) if takes == 2 else function(rng)


def _as_arrays(structure: Any) -> Any:
    if isinstance(structure, tuple):
        structure = list(structure)
    return keras.tree.map_structure(
        lambda leaf: (
            leaf
            if leaf is None
            else np.asarray(keras.ops.convert_to_numpy(leaf))
            if keras.ops.is_tensor(leaf)
            else np.asarray(leaf)
        ),
        structure,
    )


def _numpy_type(spec: InputSpec) -> str:
    if spec.dtype == "string":
        return "U1"
    return "float32" if spec.dtype in ("bfloat16", "float16", "float64") else spec.dtype


def _draw(
    rng: np.random.Generator,
    spec: InputSpec,
    shape: tuple[int, ...],
    lookup: Lookup | None,
    words: list[str],
) -> Array:
    if spec.dtype == "string":
        return rng.choice(np.array(words), size=shape)
    kind = _numpy_type(spec)
    if kind == "bool" or (kind.startswith(("int", "uint")) and "mask" in spec.name.lower()):
        return _padding_mask(rng, shape).astype(kind)
    if lookup is not None:
        ids = rng.integers(1 if lookup.masks and lookup.size > 1 else 0, lookup.size, shape)
        if lookup.masks and len(shape) == 2:
            ids = np.where(_padding_mask(rng, shape), ids, 0)
        return ids.astype(kind)
    if kind == "uint8":
        return rng.integers(0, 256, shape).astype(kind)
    if kind.startswith(("int", "uint")):
        return rng.integers(0, _INTEGERS_BELOW, shape).astype(kind)
    if len(shape) == 4 and (shape[-1] in _IMAGE_CHANNELS or shape[1] in _IMAGE_CHANNELS):
        return rng.uniform(0.0, 1.0, shape).astype(kind)
    return rng.normal(size=shape).astype(kind)


def _padding_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """True for the first steps of each row, of a length between 1 and all, and all in the first row."""
    if len(shape) < 2:
        return rng.random(shape) < 0.7
    steps = shape[-1]
    lengths = rng.integers(1, steps + 1, shape[:-1])
    lengths.reshape(-1)[0] = steps
    return np.arange(steps) < lengths[..., None]


def _some_words(model: Any) -> list[str]:
    for layer in all_layers(model) if isinstance(model, keras.layers.Layer) else ():
        vocabulary = getattr(layer, "get_vocabulary", None)
        if callable(vocabulary):
            found = [str(word) for word in vocabulary() if str(word).strip()]
            if found:
                return [*found[:50], "unseen"]
    return ["one", "two", "three", "four"]


def _losses_of(loss: Any, outputs: Any, count: int) -> list[Any]:
    if isinstance(loss, dict):
        # The outputs are flattened in the order of their sorted keys, whatever order they were written in.
        keys = sorted(outputs) if isinstance(outputs, dict) else list(loss)
        found = [loss.get(key) for key in keys]
        return found if len(found) == count else [next(iter(loss.values()))] * count
    if isinstance(loss, list | tuple) and len(loss) == count:
        return list(loss)
    return [loss] * count


def _loss_name(loss: Any) -> str:
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return str(name).lower().replace("_", "")


def _target(rng: np.random.Generator, loss: str, output: Any) -> Array:
    shape = tuple(int(size) for size in output.shape)
    if "sparsecategorical" in loss:
        return rng.integers(0, max(shape[-1], 1), shape[:-1]).astype("int32")
    if "categorical" in loss or "kldivergence" in loss or loss == "kld":
        classes = rng.integers(0, max(shape[-1], 1), shape[:-1])
        return np.eye(max(shape[-1], 1), dtype="float32")[classes]
    if "binary" in loss:
        return rng.integers(0, 2, shape).astype("float32")
    if "hinge" in loss:
        return rng.choice(np.array([-1.0, 1.0], "float32"), shape)
    if "poisson" in loss or "squaredlog" in loss or "tversky" in loss or "dice" in loss:
        return rng.uniform(0.0, 1.0, shape).astype("float32")
    return rng.normal(size=shape).astype("float32")
