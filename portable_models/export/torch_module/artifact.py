"""The folder of an exported module: ``model.py``, ``weights.safetensors``, ``architecture.json``."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from portable_models._keras.release import find_keras
from portable_models.export.errors import ExportError, MissingPackageError
from portable_models.export.torch_module.live import tensors_of
from portable_models.export.torch_module.penalties import not_carried
from portable_models.export.torch_module.source import Source, generate
from portable_models.export.torch_module.weights import variable_paths

MODEL, WEIGHTS, ARCHITECTURE = "model.py", "weights.safetensors", "architecture.json"


@dataclass(frozen=True)
class TorchModuleFolder:
    """An exported module.

    Args:
        path: the folder.
        inputs: argument names of ``forward``, in order.
        weights: state_dict key -> path of the Keras variable, None for a constant.
        not_carried: what the Keras model adds to its loss and the module does not, one line each.
    """

    path: Path
    inputs: tuple[str, ...]
    weights: Mapping[str, str | None]
    not_carried: tuple[str, ...]


def export_torch_module(keras_file: str | Path, out: str | Path) -> TorchModuleFolder:
    """Write the model of a ``.keras`` file as a trainable plain ``torch.nn.Module``.

    The folder holds ``model.py`` (plain PyTorch, ``build()`` and ``load()``), ``weights.safetensors`` and
    ``architecture.json`` (argument names, state_dict key -> path of the Keras variable).

    Args:
        keras_file: a ``.keras`` file written under any backend.
        out: the folder to write; it must not exist.

    Raises:
        ExportError: the folder exists, or the file is no model.
        RefusedError: a layer cannot be carried; the message names layer, class and reason.
        MissingPackageError: safetensors is not installed.
    """
    from portable_models.export.loading import load

    return write_torch_module(load(Path(keras_file)), Path(out))


def write_torch_module(model: Any, out: Path) -> TorchModuleFolder:
    """Write a built Keras model; see :func:`export_torch_module`."""
    if out.exists():
        raise ExportError(f"{out} exists; name a folder that does not")
    try:
        from safetensors.torch import save_file
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "the torch-module target needs safetensors, not installed here; "
            'run: pip install "portable-models[torch-module]"'
        ) from error
    source = generate(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        (partial / MODEL).write_text(source.text, encoding="utf-8")
        save_file(tensors_of(source, model.compute_dtype), partial / WEIGHTS)
        described = _describe(model, source)
        text = json.dumps(described, indent=1, sort_keys=True)
        (partial / ARCHITECTURE).write_text(text + "\n", encoding="utf-8")
        partial.chmod(0o755)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return TorchModuleFolder(
        out, source.inputs, described["weights"], tuple(described["not_carried"])
    )


def _describe(model: Any, source: Source) -> dict[str, Any]:
    paths = variable_paths(source)
    keys = {path: key for key, path in paths.items() if path is not None}
    trainable = [keys.get(variable.path) for variable in model.trainable_variables]
    return {
        "schema": 1,
        "model": model.name,
        "class": type(model).__name__,
        "dtype": model.compute_dtype,
        "inputs": list(source.inputs),
        "weights": paths,
        # In the order of the Keras model's trainable_variables; null where the module has no use for one.
        "trainable": trainable,
        "not_carried": not_carried(model),
        "versions": {"keras": find_keras()}
        | {name: version(name) for name in ("torch", "safetensors")},
    }
