"""The line of every example that makes inputs: NumPy expressions of the signature's shapes."""

from __future__ import annotations

from portable_models.export.signature import Signature, Tensor
from portable_models.export.sizes import concrete


def expressions(signature: Signature, batch: int = 2) -> list[str]:
    """NumPy expressions for a small batch of values that each input can take."""
    shapes = concrete(signature.inputs, batch)
    return [_expression(t, shape) for t, shape in zip(signature.inputs, shapes, strict=True)]


def _expression(tensor: Tensor, shape: tuple[int, ...]) -> str:
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
    pairs = zip(signature.inputs, expressions(signature), strict=True)
    items = (f'"{tensor.name}": {made}' for tensor, made in pairs)
    return "{" + ", ".join(items) + "}"


def names(signature: Signature) -> list[str]:
    """The outputs' names, in order."""
    return [tensor.name for tensor in signature.outputs]
