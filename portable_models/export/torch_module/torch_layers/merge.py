"""Layers that merge several inputs."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def same_rank(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Insert axes after the batch until all inputs have the rank of the largest."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *[1] * (rank - x.ndim), *x.shape[1:]) for x in inputs]


class Merge(nn.Module):
    """An elementwise merge; the mask of the result is the union of the inputs' masks."""

    def __init__(self, function: Callable[[list[Tensor]], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Merge the inputs, broadcast against each other."""
        return self.function(same_rank(inputs))

    def compute_mask(
        self, inputs: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        """Union of the masks; None if one input has none."""
        present = [mask for mask in masks if mask is not None]
        return functools.reduce(torch.logical_or, present) if len(present) == len(masks) else None


def add(inputs: list[Tensor]) -> Tensor:
    """Sum of the inputs."""
    return functools.reduce(operator.add, inputs)


def subtract(inputs: list[Tensor]) -> Tensor:
    """First input minus the second."""
    return inputs[0] - inputs[1]


def multiply(inputs: list[Tensor]) -> Tensor:
    """Product of the inputs."""
    return functools.reduce(operator.mul, inputs)


def average(inputs: list[Tensor]) -> Tensor:
    """Mean of the inputs."""
    return functools.reduce(operator.add, inputs) / len(inputs)


def maximum(inputs: list[Tensor]) -> Tensor:
    """Elementwise largest."""
    return functools.reduce(torch.maximum, inputs)


def minimum(inputs: list[Tensor]) -> Tensor:
    """Elementwise smallest."""
    return functools.reduce(torch.minimum, inputs)


class Concatenate(nn.Module):
    """Joins the inputs along an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Join the inputs."""
        return torch.cat(list(inputs), dim=self.axis)

    def compute_mask(
        self, inputs: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        """True where any of the joined features belongs to an unmasked step."""
        if all(mask is None for mask in masks):
            return None
        full = []
        for x, mask in zip(inputs, masks, strict=True):
            if mask is None:
                full.append(torch.ones_like(x, dtype=torch.bool))
            else:
                full.append(mask.unsqueeze(-1).expand(x.shape) if mask.ndim < x.ndim else mask)
        return torch.cat(full, dim=self.axis).any(dim=-1)


class Dot(nn.Module):
    """Sum of products over one axis of each of two inputs, sample by sample."""

    def __init__(self, axes: int | Sequence[int], normalize: bool = False) -> None:
        super().__init__()
        self.axes = axes
        self.normalize = normalize

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Contract the two inputs; a result without other axes gets one of length 1."""
        x, y = inputs
        if isinstance(self.axes, int):
            first, second = self.axes, self.axes
        else:
            first, second = self.axes
        if self.normalize:
            x, y = (
                t * torch.rsqrt((t * t).sum(axis, keepdim=True).clamp(min=1e-14))
                for t, axis in ((x, first), (y, second))
            )
        x, y = x.movedim(first, -1), y.movedim(second, -1)
        rest_x, rest_y = x.shape[1:-1], y.shape[1:-1]
        z = torch.bmm(
            x.reshape(x.shape[0], -1, x.shape[-1]),
            y.reshape(y.shape[0], -1, y.shape[-1]).transpose(1, 2),
        )
        return z.reshape(x.shape[0], *(tuple(rest_x) + tuple(rest_y) or (1,)))
