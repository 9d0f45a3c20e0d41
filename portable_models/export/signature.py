"""What goes into a model and what comes out, without Keras: names, shapes, dtypes, what the values mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Values:
    """What is known of an input's values besides their dtype, from the layers that the input reaches.

    Args:
        source: the layer that says so, for instance ``"Normalization"``; empty where nothing is known.
        low, high: the range of the values; None where there is none.
        mean, deviation: statistics that the model normalises by, as nested tuples that broadcast to the
            input's shape; None where there are none.
        choices: words or whole numbers of a vocabulary.
        masks: whether 0 stands for padding, at the start or the end of a row.
        mask_value: the value of every feature of a padded step; None where there is none.
    """

    source: str = ""
    low: float | None = None
    high: float | None = None
    mean: Any = None
    deviation: Any = None
    choices: tuple[Any, ...] = ()
    masks: bool = False
    mask_value: float | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Values:
        """The values that ``vars`` described, after JSON."""
        return cls(**{name: nested_tuples(value) for name, value in data.items()})


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Args:
        name: a Python identifier, unique among the inputs or among the outputs.
        shape: sizes; None for an axis of any size. The first axis is the batch and is None.
        dtype: NumPy's name of the element type, for instance ``"float32"``.
        limit: for token ids, the number of different ids: values lie in ``[0, limit)``. Otherwise None.
        values: what else is known of the values.
        symbols: for each axis a name, where the axis is free and its sizes were tried. Axes of the same name
            have the same size. The sizes are multiples of ``step``.
        step: see ``symbols``.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    limit: int | None = None
    values: Values = field(default_factory=Values)
    symbols: tuple[str, ...] = ()
    step: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "limit": self.limit,
            "values": dataclasses.asdict(self.values),
            "symbols": list(self.symbols),
            "step": self.step,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tensor:
        """The tensor that :meth:`to_dict` described."""
        return cls(
            data["name"],
            tuple(data["shape"]),
            data["dtype"],
            data["limit"],
            Values.from_dict(data.get("values", {})),
            tuple(data.get("symbols", ())),
            data.get("step", 1),
        )


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


def nested_tuples(value: Any) -> Any:
    """Lists, at any depth, as tuples."""
    return tuple(map(nested_tuples, value)) if isinstance(value, list | tuple) else value
