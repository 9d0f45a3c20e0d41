"""JAX: a serialized ``jax.export`` function of (parameters, inputs), and the parameters beside it.

Format: https://docs.jax.dev/en/latest/export/export.html. The folder holds

- ``model.jax``: the function, with a symbolic batch, for CPU and CUDA, with its first derivatives;
- ``params.npz``: its parameters, ``trainable/NAME`` and ``state/NAME`` (statistics of BatchNormalization …);
- ``model.py``: needs JAX and NumPy only; ``apply(params, x)`` for ``jit``, ``grad`` and ``vmap``, and
  ``load_params()``.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from portable_models.export.signature import Signature, Tensor
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View

PLATFORMS = ("cpu", "cuda")
_CALLER = Path(__file__).with_name("jax_caller.py")


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the folder ``path``."""
    import jax

    from portable_models.export.stateless_jax import stateless

    del source
    function, params = stateless(seen.model, seen)
    scope = jax.export.SymbolicScope()
    inputs = {
        tensor.name: jax.ShapeDtypeStruct(
            jax.export.symbolic_shape(_symbols(tensor), scope=scope),
            jax.dtypes.canonicalize_dtype(tensor.dtype),
        )
        for tensor in seen.signature.inputs
    }
    like = jax.tree.map(lambda value: jax.ShapeDtypeStruct(value.shape, value.dtype), params)
    # Matrix products in full float32, also where the artifact meets a GPU that would take TF32.
    with jax.default_matmul_precision("highest"):
        exported = jax.export.export(jax.jit(function), platforms=PLATFORMS)(like, inputs)
        serialized = exported.serialize(vjp_order=1)
    path.mkdir()
    (path / "model.jax").write_bytes(serialized)
    shutil.copyfile(_CALLER, path / "model.py")
    np.savez(
        path / "params.npz",
        **{  # type: ignore[arg-type]  # NumPy's stub reads names as options
            f"{part}/{name}": np.asarray(value)
            for part, values in params.items()
            for name, value in values.items()
        },
    )
    return {"versions": {"jax": jax.__version__}}


def _symbols(tensor: Tensor) -> str:
    """Sizes that were found to be free of each other have symbols of their own; see ``discovery``."""
    symbols = tensor.symbols or tuple(
        "batch" if axis == 0 else f"free_{axis}" for axis in range(len(tensor.shape))
    )
    step = f"{tensor.step}*" if tensor.step > 1 else ""
    return ", ".join(
        str(size) if size is not None else (symbol if symbol == "batch" else step + symbol)
        for size, symbol in zip(tensor.shape, symbols, strict=True)
    )


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Import the folder's own ``model.py``."""
    import jax

    specification = importlib.util.spec_from_file_location("exported_model", path / "model.py")
    if specification is None or specification.loader is None:
        raise ImportError(f"{path / 'model.py'} cannot be imported")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    params = module.load_params()
    outputs = [tensor.name for tensor in signature.outputs]
    apply = jax.jit(module.apply)

    def named(inputs: Sequence[Array]) -> dict[str, Array]:
        return {tensor.name: value for tensor, value in zip(signature.inputs, inputs, strict=True)}

    def call(inputs: Sequence[Array]) -> list[Array]:
        found = apply(params, named(inputs))
        return [np.asarray(found[name]) for name in outputs]

    def gradients(inputs: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        def total(trainable: Any) -> Any:
            found = module.apply({**params, "trainable": trainable}, named(inputs))
            return sum(
                jax.numpy.sum(found[name] * cotangent)
                for name, cotangent in zip(outputs, cotangents, strict=True)
            )

        found = jax.jit(jax.grad(total))(params["trainable"])
        # A jitted function gives dicts in sorted order; the source model's order is that of the file.
        return [np.asarray(found[name]) for name in params["trainable"]]

    return Opened(call, {"jax": jax.__version__}, {"matmul_precision": "highest"}, gradients)


def example(name: str, signature: Signature) -> str:
    """How to call it with JAX."""
    return f"""\
import sys
import jax
import numpy as np

sys.path.insert(0, {name!r})
import model  # the artifact's own model.py

inputs = {example_inputs.dictionary(signature)}
outputs = jax.jit(model.apply)(model.load_params(), inputs)
print(outputs)
"""
