"""The line of every example that makes inputs: NumPy expressions of the signature's shapes."""

from __future__ import annotations

from portable_models.export.probes import FREE_AXIS
from portable_models.export.signature import Signature, Tensor


def expression(tensor: Tensor, batch: int = 2) -> str:
    """A NumPy expression for a small batch of values that this input can take."""
    shape = (batch, *(FREE_AXIS if size is None else size for size in tensor.shape[1:]))
    if tensor.limit is not None or not tensor.dtype.startswith("float"):
        return f'np.random.randint(0, {tensor.limit or 2}, {shape}).astype("{tensor.dtype}")'
    return f'np.random.rand{shape}.astype("{tensor.dtype}")'


def dictionary(signature: Signature) -> str:
    """A dict literal from the inputs' names to such expressions."""
    items = (f'"{tensor.name}": {expression(tensor)}' for tensor in signature.inputs)
    return "{" + ", ".join(items) + "}"


def names(signature: Signature) -> list[str]:
    """The outputs' names, in order."""
    return [tensor.name for tensor in signature.outputs]
