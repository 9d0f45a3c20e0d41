"""A model as a table of layers, with the error of each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backends_matrix.check.localise import Part
from backends_matrix.check.members import Findings


def model_summary(found: Findings, parts: Mapping[str, Sequence[Part]]) -> dict[str, object]:
    """Layers, parameters, and each part's own error where it was looked for, as JSON.

    Args:
        found: of the reference backend.
        parts: by backend, in the order of the model.
    """
    weights = found.stage("build", "weights").data
    errors = {
        backend: [
            {
                "layer": part.layer,
                "class": part.name,
                # JSON knows no infinity: None, where shapes or the places of NaN differ.
                "difference": part.difference if part.difference < float("inf") else None,
                "tolerance": part.tolerance,
            }
            for part in each
            if part.tolerance < float("inf")
        ]
        for backend, each in parts.items()
    }
    return {
        "layers": weights.get("layers", []),
        "parameters": weights.get("parameters", 0),
        "errors": errors,
    }
