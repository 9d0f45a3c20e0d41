"""The phase ``build``: import, build, inputs, the first eager call and the initial weights."""

from __future__ import annotations

from typing import Any

import keras

from backends_matrix.check.worker.loading import build
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.subject import Subject, flat_arrays, stateful_layers
from portable_models._keras.layers import all_layers, inner_layers
from portable_models.training.states import values


def run_build(subject: Subject, recorder: Recorder) -> None:
    """Build the model and whatever the other phases need to begin."""
    with recorder.stage("build") as found:
        subject.model = build(subject.loaded, subject.seed)
        subject.was_compiled = bool(getattr(subject.model, "compiled", False))
        if subject.was_compiled:
            found["optimizer"] = type(subject.model.optimizer).__name__
        found["compiled"] = subject.was_compiled
    if subject.model is None:
        return
    with recorder.stage("inputs") as found:
        subject.make_inputs()
        flat = [leaf for leaf in keras.tree.flatten(subject.x) if leaf is not None]
        found["@x"] = flat
        found["shapes"] = [list(leaf.shape) for leaf in flat]
        found["dtypes"] = [str(leaf.dtype) for leaf in flat]
    if recorder.failed("inputs"):
        return
    with recorder.stage("forward") as found:
        built_before = bool(subject.model.built)
        start = values(subject.model.variables) if built_before else None
        outputs = subject.model(subject.tensors(subject.x), training=False)
        found |= describe_outputs(outputs)
        found["@outputs"] = flat_arrays(outputs)
        count = len(subject.model.variables)
        found["losing"] = losing_layers(subject.model)
        found["grew"] = count - len(start) if start is not None else 0
        subject.start = start or values(subject.model.variables)
        subject.make_targets(outputs)
        if subject.y is not None:
            found["@y"] = [leaf for leaf in keras.tree.flatten(subject.y) if leaf is not None]
    if recorder.failed("forward"):
        return
    with recorder.stage("weights") as found:
        found["@weights"] = values(subject.model.variables)
        found["names"] = [each.path for each in subject.model.variables]
        found["weights"] = [each.path for each in subject.model.weights]
        found["trainable"] = [each.path for each in subject.model.trainable_variables]
        found["parameters"] = int(subject.model.count_params())
        found["layers"] = layers_of(subject.model)
        subject.precision = precision_of(subject.model)
        found["precision"] = subject.precision
        stateful = stateful_layers(subject.model)
        found["stateful"] = {each.path or each.name: type(each).__name__ for each in stateful}
        found["half_penalty"] = half_penalty_of(subject.model)
        found["loss"] = str(
            getattr(subject.model, "loss", None) or subject.loaded.extra("LOSS") or ""
        )


def describe_outputs(outputs: Any) -> dict[str, Any]:
    """Structure, shapes and types of outputs, as JSON."""
    flat = [leaf for leaf in keras.tree.flatten(outputs) if leaf is not None]
    return {
        "shapes": [list(map(int, leaf.shape)) for leaf in flat],
        "dtypes": [keras.backend.standardize_dtype(leaf.dtype) for leaf in flat],
        "structure": type(outputs).__name__ if isinstance(outputs, dict | list | tuple) else "",
    }


def losing_layers(model: Any) -> list[str]:
    """Paths of the layers that add losses of their own in a call; innermost ones only."""
    found = []
    for layer in inner_layers(model):
        penalties = sum(v.regularizer is not None for v in layer.trainable_variables)
        inner = sum(len(each.losses) for each in inner_layers(layer))
        if len(layer.losses) > penalties and inner < len(layer.losses):
            found.append(layer.path or layer.name)
    return found


def precision_of(model: Any) -> str:
    """The roughest type that a layer computes in."""
    found = {layer.compute_dtype for layer in all_layers(model)}
    return next((name for name in ("bfloat16", "float16") if name in found), "float32")


def half_penalty_of(model: Any) -> str:
    """Path of the first layer that has a penalty on weights of half precision; "" where none has."""
    for layer in all_layers(model):
        for variable in layer.trainable_variables:
            if variable.regularizer is not None and variable.dtype in ("float16", "bfloat16"):
                return str(variable.path.rpartition("/")[0])
    return ""


def layers_of(model: Any) -> list[dict[str, Any]]:
    """All layers: path, class, module, number of parameters."""
    found = []
    for layer in inner_layers(model):
        kind = type(layer)
        weights = layer.count_params() if layer.built else 0
        found.append(
            {
                "path": layer.path or layer.name,
                "class": kind.__name__,
                "module": kind.__module__,
                "parameters": int(weights),
            }
        )
    return found
