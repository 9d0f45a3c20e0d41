"""Keras's weight regularizers and constraints, as functions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def l1_l2(x: Tensor, l1: float = 0.0, l2: float = 0.0) -> Tensor:
    """``l1 * sum(abs(x)) + l2 * sum(x^2)``."""
    loss = x.new_zeros(())
    if l1:
        loss = loss + l1 * x.abs().sum()
    if l2:
        loss = loss + l2 * x.square().sum()
    return loss


def orthogonal(x: Tensor, factor: float, mode: str) -> Tensor:
    """Penalty on the dot products between the rows (or columns) of a matrix, scaled to length 1."""
    x = x if mode == "rows" else x.T
    x = x * torch.rsqrt(x.square().sum(dim=1, keepdim=True).clamp(min=1e-14))
    size = x.shape[0]
    penalty = torch.matmul(x, x.T) * (1 - torch.eye(size, dtype=x.dtype, device=x.device))
    return factor * 0.5 * penalty.abs().sum() / (size * (size - 1) / 2)


def max_norm(x: Tensor, max_value: float, axis: int | Sequence[int]) -> Tensor:
    """Shorten the vectors along the axis to at most ``max_value``."""
    norm = x.square().sum(dim=axis, keepdim=True).sqrt()
    return x * (norm.clamp(0, max_value) / (1e-7 + norm))


def non_negative(x: Tensor) -> Tensor:
    """Set negative entries to 0."""
    return x * (x >= 0)


def unit_norm(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Bring the vectors along the axis to length 1."""
    return x / (1e-7 + x.square().sum(dim=axis, keepdim=True).sqrt())


def min_max_norm(
    x: Tensor, min_value: float, max_value: float, rate: float, axis: int | Sequence[int]
) -> Tensor:
    """Bring the vectors' lengths towards the interval, by the share ``rate``."""
    norm = x.square().sum(dim=axis, keepdim=True).sqrt()
    target = rate * norm.clamp(min_value, max_value) + (1 - rate) * norm
    return x * (target / (1e-7 + norm))
