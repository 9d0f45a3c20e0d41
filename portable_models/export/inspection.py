"""A Keras model as a function of a flat list of arrays, whatever structure its call takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from portable_models._keras.graph import list_call_inputs
from portable_models._keras.layers import all_layers
from portable_models.export.errors import ExportError
from portable_models.export.signature import Signature, Tensor


@dataclass(frozen=True, eq=False)
class View:
    """A model, called in inference with flat inputs and giving flat outputs.

    Args:
        model: the Keras model.
        signature: its inputs and outputs.
        structure: the nest of inputs that the model's call takes, leaves of any kind.
        keywords: the names of the arguments of a subclassed model's call that takes several; else empty.
        declared: whether the model's definition says the dtypes of its inputs; code that was only built
            with shapes does not.
    """

    model: Any
    signature: Signature
    structure: Any
    keywords: tuple[str, ...] = ()
    declared: bool = True

    def pack(self, inputs: Sequence[Any]) -> Any:
        """Flat inputs in the structure that the model's call takes."""
        return keras.tree.pack_sequence_as(self.structure, list(inputs))

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """The flat outputs in inference."""
        packed = self.pack(inputs)
        if self.keywords:
            return _flat(
                self.model(**dict(zip(self.keywords, packed, strict=True)), training=False)
            )
        return _flat(self.model(packed, training=False))

    def named(self, outputs: Sequence[Any]) -> dict[str, Any]:
        """Outputs by their names."""
        names = (tensor.name for tensor in self.signature.outputs)
        return dict(zip(names, outputs, strict=True))


def view(model: Any, sample: Mapping[str, Any] | None = None) -> View:
    """Look at ``model``: its signature, and how to call it.

    Args:
        model: a built Keras model.
        sample: the user's own inputs by name, whose dtypes hold where the model does not declare any.

    Raises:
        ExportError: the model was never built or called, so its inputs are not known.
    """
    structure, keywords, inputs = _inputs(model)
    declared = bool(getattr(model, "inputs", None))
    if not declared:
        from portable_models.export.discovery import find_dtypes

        bare = View(model, Signature(tuple(inputs), ()), structure, keywords, declared)
        inputs = list(find_dtypes(bare, sample))
    symbolic = [
        keras.KerasTensor(tensor.shape, dtype=tensor.dtype, name=tensor.name) for tensor in inputs
    ]
    seen = View(model, Signature(tuple(inputs), ()), structure, keywords, declared)
    if isinstance(model, keras.Sequential) or keywords or not hasattr(model, "output"):
        result = _called(seen, symbolic)
        _require_recorded_arguments(seen)
    else:
        result = model.output
    outputs = [
        Tensor(name, (None, *tensor.shape[1:]), _dtype(tensor.dtype))
        for name, tensor in zip(_output_names(model, result), _flat(result), strict=True)
    ]
    return View(model, Signature(tuple(inputs), tuple(outputs)), structure, keywords, declared)


def _called(seen: View, symbolic: Sequence[Any]) -> Any:
    """The structure of outputs of a model that is only code.

    Raises:
        ExportError: its call takes arguments that Keras did not record.
    """
    packed = seen.pack(symbolic)
    arguments = dict(zip(seen.keywords, packed, strict=True)) if seen.keywords else {}
    try:
        return (
            seen.model(**arguments, training=False)
            if arguments
            else seen.model(packed, training=False)
        )
    except TypeError as error:
        raise ExportError(
            f"the model {seen.model.name!r} cannot be called with its recorded inputs ({error}); "
            "Keras records several arguments of call(self, a, b) only where the model has "
            "build(self, a_shape, b_shape)"
        ) from error


def _require_recorded_arguments(seen: View) -> None:
    """Refuse a model that was called with more than Keras has recorded: part of it would be left out.

    Raises:
        ExportError: its call takes further arguments, and layers were not reached without them.
    """
    if seen.declared:
        return
    taken = [
        name
        for name, each in inspect.signature(seen.model.call).parameters.items()
        if name not in ("training", "mask")
        and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    ]
    lost = [layer.name for layer in all_layers(seen.model) if not layer.built]
    if lost and len(taken) > max(1, len(seen.keywords)):
        raise ExportError(
            f"the model {seen.model.name!r} takes {', '.join(taken)}, of which Keras has recorded "
            f"{len(seen.keywords) or 1}; without the others the layers {', '.join(lost)} are not "
            "reached. Give the model build(self, a_shape, b_shape), one for each argument, and save it again"
        )


def _inputs(model: Any) -> tuple[Any, tuple[str, ...], list[Tensor]]:
    known = getattr(model, "inputs", None)
    if known:
        structure = known[0] if isinstance(model, keras.Sequential) else model.input
        keys = list(structure) if isinstance(structure, dict) else [t.name for t in known]
        flat = _flat(structure)
        keys = sorted(keys) if isinstance(structure, dict) else [t.name for t in flat]
        tensors = [
            Tensor(name, (None, *tensor.shape[1:]), _dtype(tensor.dtype), _limit(tensor, model))
            for name, tensor in zip(_identifiers(keys, "input"), flat, strict=True)
        ]
        return structure, (), tensors
    return _subclassed_inputs(model)


def _subclassed_inputs(model: Any) -> tuple[Any, tuple[str, ...], list[Tensor]]:
    """Inputs of a model that is only code: known from the shapes of its first call."""
    config = model.get_build_config() if model.built else None
    if not config:
        raise ExportError(
            f"the model {model.name!r} was never built, so its inputs are not known; "
            "call it once on a batch before it is saved or exported"
        )
    shapes = config.get("shapes_dict") or config["input_shape"]
    keywords = (
        tuple(key.removesuffix("_shape") for key in shapes) if "shapes_dict" in config else ()
    )
    if keywords:
        shapes = list(shapes.values())
    paths = _shape_leaves(shapes, "")
    names = list(keywords) if keywords else [path or "input" for path, _ in paths]
    tensors = [
        Tensor(name, (None, *shape[1:]), model.input_dtype)
        for name, (_, shape) in zip(_identifiers(names, "input"), paths, strict=True)
    ]
    return _nest(shapes), keywords, tensors


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(s is None or isinstance(s, int) for s in value)


def _shape_leaves(shapes: Any, path: str) -> list[tuple[str, tuple[int | None, ...]]]:
    if _is_shape(shapes):
        return [(path, tuple(shapes))]
    items = sorted(shapes.items()) if isinstance(shapes, dict) else list(enumerate(shapes))
    return [
        leaf for key, value in items for leaf in _shape_leaves(value, f"{path}_{key}".lstrip("_"))
    ]


def _nest(shapes: Any) -> Any:
    """The same nest with zeros for leaves."""
    if _is_shape(shapes):
        return 0
    if isinstance(shapes, dict):
        return {key: _nest(value) for key, value in shapes.items()}
    return [_nest(value) for value in shapes]


def _limit(tensor: Any, model: Any) -> int | None:
    """How many ids there are where ``tensor`` holds token ids: the smallest Embedding that it enters."""
    limits = []
    for layer in model.layers:
        for given in list_call_inputs(layer):
            position = next((i for i, t in enumerate(given) if t is tensor), None)
            if position is None:
                continue
            if isinstance(layer, keras.layers.Embedding):
                limits.append(layer.input_dim)
            elif isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
                limits.append(_limit(layer.inputs[position], layer))
            elif "int" in _dtype(tensor.dtype):
                limits += [inner.input_dim for inner in _embeddings(layer)]
    return min((limit for limit in limits if limit is not None), default=None)


def _embeddings(model: Any) -> list[Any]:
    return [layer for layer in all_layers(model) if isinstance(layer, keras.layers.Embedding)]


def _output_names(model: Any, result: Any) -> list[str]:
    if isinstance(result, dict):
        return _identifiers(sorted(result), "output")
    if isinstance(model, keras.Sequential):
        return _identifiers([model.layers[-1].name], "output")
    known = list(getattr(model, "output_names", None) or [])
    count = len(_flat(result))
    if len(known) != count:
        known = ["output"] if count == 1 else [f"output_{index}" for index in range(count)]
    return _identifiers(known, "output")


def _identifiers(names: Sequence[str], stem: str) -> list[str]:
    """Names as unique Python identifiers: serving signatures and keyword arguments take nothing else."""
    found: list[str] = []
    for position, name in enumerate(names):
        clean = re.sub(r"\W", "_", str(name))
        clean = clean if clean.isidentifier() else f"{stem}_{clean}"
        found.append(clean if clean not in found else f"{clean}_{position}")
    return found


def _dtype(dtype: Any) -> str:
    return str(keras.backend.standardize_dtype(dtype))


def _flat(structure: Any) -> list[Any]:
    return list(keras.tree.flatten(structure))
