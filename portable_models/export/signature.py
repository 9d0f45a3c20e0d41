"""What goes into a model and what comes out, without Keras: names, shapes, dtypes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Args:
        name: a Python identifier, unique among the inputs or among the outputs.
        shape: sizes; None for an axis of any size. The first axis is the batch and is None.
        dtype: NumPy's name of the element type, for instance ``"float32"``.
        limit: for token ids, the number of different ids: values lie in ``[0, limit)``. Otherwise None.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    limit: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "limit": self.limit,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tensor:
        """The tensor that :meth:`to_dict` described."""
        return cls(data["name"], tuple(data["shape"]), data["dtype"], data["limit"])


@dataclass(frozen=True)
class Signature:
    """All inputs and outputs, in the order in which Keras flattens them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "inputs": [tensor.to_dict() for tensor in self.inputs],
            "outputs": [tensor.to_dict() for tensor in self.outputs],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Signature:
        """The signature that :meth:`to_dict` described."""
        return cls(
            tuple(Tensor.from_dict(tensor) for tensor in data["inputs"]),
            tuple(Tensor.from_dict(tensor) for tensor in data["outputs"]),
        )
