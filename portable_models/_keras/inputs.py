"""The structure in which a Functional model takes its inputs."""

from __future__ import annotations

from typing import Any


def input_structure(model: Any) -> Any:
    """The symbolic inputs of a model as it was given them (a dict stays a dict); None where it has none.

    The public ``Model.inputs`` is flat. A Functional model has ``input``; a Sequential keeps the structure in
    the Functional that it makes for itself, which is private
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/models/sequential.py).
    """
    own = getattr(model, "_functional", None) or model
    structure = getattr(own, "_inputs_struct", None)
    if isinstance(structure, list | tuple) and len(structure) == 1:
        return structure[0]
    return structure


def build_shapes(model: Any) -> Any:
    """The input shape that a subclassed model was built with; None where it is not known.

    ``Layer.get_build_config`` gives it for files, and nothing else does.
    """
    config = model.get_build_config() or {}
    return config.get("input_shape") or (config.get("shapes_dict") or None)
