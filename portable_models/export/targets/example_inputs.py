"""The line of every example that makes inputs: NumPy expressions of the signature's shapes."""

from __future__ import annotations

from portable_models.export.signature import Signature, Tensor
from portable_models.export.sizes import concrete


def expression(tensor: Tensor, batch: int = 2) -> str:
    """A NumPy expression for a small batch of values that this input can take."""
    (shape,) = concrete([tensor], batch)
    if tensor.dtype == "string":
        words = list(map(str, tensor.values.choices[:3])) or ["one", "two"]
        return f"np.random.choice({words}, {shape})"
    if tensor.values.choices:
        values = list(tensor.values.choices[:4])
        return f'np.random.choice({values}, {shape}).astype("{tensor.dtype}")'
    if tensor.limit is not None or not tensor.dtype.startswith("float"):
        return f'np.random.randint(0, {tensor.limit or 2}, {shape}).astype("{tensor.dtype}")'
    dtype = "float32" if tensor.dtype == "bfloat16" else tensor.dtype
    return f'np.random.rand{shape}.astype("{dtype}")'


def dictionary(signature: Signature) -> str:
    """A dict literal from the inputs' names to such expressions."""
    items = (f'"{tensor.name}": {expression(tensor)}' for tensor in signature.inputs)
    return "{" + ", ".join(items) + "}"


def names(signature: Signature) -> list[str]:
    """The outputs' names, in order."""
    return [tensor.name for tensor in signature.outputs]
