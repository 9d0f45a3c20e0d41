"""Run by path in a fresh process: exported modules where keras cannot be imported.

Its arguments are FOLDER REQUEST.npz ANSWER.npz, any number of times. It reads the request (``CASE/in/I``,
and ``CASE/cotangent/J`` where gradients are asked for) and writes what the module gives. It imports nothing
of this project, so that it proves the folder and not the exporter.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

# PyTorch itself looks for tensorflow and jax, so they are let be; keras in them is blocked too.
BLOCKED = ("keras", "tf_keras", "portable_models", "backends_matrix")


class Blocker:
    """An import hook that finds none of the packages that the folder must do without."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse the blocked packages.

        Raises:
            ModuleNotFoundError: the package is one of them.
        """
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked: an exported module must do without it")


def load_folder(folder: Path) -> Any:
    """The module object of ``model.py``."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"no model.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    return module


def leaves(value: Any) -> list[Any]:
    """The tensors of nested outputs, dicts by sorted key as Keras flattens them."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def main(folder: Path, request: Path, answer: Path) -> None:
    """Compute outputs for every case, and weight gradients where the case has cotangents."""
    import numpy as np
    import torch

    torch.set_float32_matmul_precision("highest")
    net = load_folder(folder).load()
    arrays = dict(np.load(request))
    found: dict[str, Any] = {}
    for case in sorted({key.split("/")[0] for key in arrays}):
        inputs = _numbered(arrays, f"{case}/in")
        outputs = leaves(net(*[torch.from_numpy(value) for value in inputs]))
        found |= {f"{case}/out/{i}": value.detach().numpy() for i, value in enumerate(outputs)}
        cotangents = _numbered(arrays, f"{case}/cotangent")
        if cotangents:
            names = [name for name, p in net.named_parameters() if p.requires_grad]
            pairs = zip(outputs, map(torch.from_numpy, cotangents), strict=True)
            total = sum((value * weight).sum() for value, weight in pairs)
            weights = [net.get_parameter(name) for name in names]
            gradients = torch.autograd.grad(total, weights, materialize_grads=True)
            found |= {
                f"{case}/gradient/{name}": value.numpy()
                for name, value in zip(names, gradients, strict=True)
            }
    np.savez(answer, **found)


def _numbered(arrays: dict[str, Any], prefix: str) -> list[Any]:
    count = sum(key.startswith(f"{prefix}/") for key in arrays)
    return [arrays[f"{prefix}/{index}"] for index in range(count)]


if __name__ == "__main__":
    sys.meta_path.insert(0, Blocker())
    sys.dont_write_bytecode = True  # the folders stay as they were written
    for start in range(1, len(sys.argv), 3):
        main(*map(Path, sys.argv[start : start + 3]))
