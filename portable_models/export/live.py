"""A model of this process: saved for the children, its numbers taken here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from portable_models._backend import current
from portable_models._keras.layers import all_layers
from portable_models.export import loading, reference
from portable_models.export.discovery import discover
from portable_models.export.errors import ExportError
from portable_models.export.inspection import view
from portable_models.export.sample import by_input, read_sample


def take(
    model: Any,
    folder: Path,
    batch: int,
    *,
    measure: bool,
    sample: Path | None = None,
    sizes: Mapping[str, int] | None = None,
) -> tuple[Path, tuple[str, ...], tuple[Path, Mapping[str, Any]] | None]:
    """Save ``model`` and measure it here, so that what saving loses shows as a difference.

    Args:
        model: a built Keras model.
        folder: where its files go.
        batch: rows of the exported batch.
        measure: whether the reference is taken.
        sample: an ``.npz`` file with the user's own inputs.
        sizes: sizes of free axes.

    Returns:
        The ``.keras`` file, the modules that register its classes, and the reference's file and description.

    Raises:
        ExportError: it is no built Keras model, or a class of it lives where no child can import it.
    """
    if not isinstance(model, keras.Model):
        raise ExportError(
            f"expected a .keras file or a Keras model, got {type(model).__name__}; build it with keras.Model"
        )
    seen, given = view(model), None
    if sample is not None:
        arrays = read_sample(sample)
        given = by_input(arrays, seen.signature, typed=seen.declared)
        seen = view(model, given)
        by_input(arrays, discover(seen, sizes).signature, typed=seen.declared)
    imports = _modules(model)
    file = folder / f"{model.name}.keras"
    loading.save(model, file)
    if not measure:
        return file, imports, None
    # The precision settings of this process are the user's; the floor that is measured covers them.
    out = folder / "reference.npz"
    found = reference.measure(discover(seen, sizes), batch, out, gradients=True, sample=given)
    description = {"status": "done", **found}
    return file, imports, (out, {**description, "backend": current().name})


def _modules(model: Any) -> tuple[str, ...]:
    """The modules of the model's own classes and of the registered functions that it names."""
    named = [type(layer) for layer in all_layers(model)]
    config = model.to_json()
    for name, value in keras.saving.get_custom_objects().items():
        if f'"{name}"' in config:
            named.append(value)
    modules = []
    for value in named:
        module = getattr(value, "__module__", "keras")
        if module == "__main__":
            raise ExportError(
                f"{value.__name__} is defined in the script that runs, which no other process can import; "
                "move it to a module of its own"
            )
        if module.partition(".")[0] != "keras":
            modules.append(module)
    return tuple(dict.fromkeys(modules))
