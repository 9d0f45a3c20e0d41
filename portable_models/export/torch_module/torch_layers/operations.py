"""Operations of ``keras.ops`` that PyTorch has no single function for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def take(x: Tensor, indices: Tensor | int | Sequence[int], axis: int | None) -> Tensor:
    """Entries of an axis (of the flattened tensor, without one), in the shape of the indices."""
    if axis is None:
        x, axis = x.reshape(-1), 0
    chosen = torch.as_tensor(indices, device=x.device).long()
    axis = axis % x.ndim
    taken = x.movedim(axis, 0)[chosen]
    order = range(axis)
    # The indices' axes take the place of the axis they were taken from.
    return taken.movedim([chosen.ndim + i for i in order], list(order)) if axis else taken


def one_hot(x: Tensor, classes: int, axis: int, dtype: torch.dtype) -> Tensor:
    """A new axis that is 1 where its index is the value; all 0 for a value out of range."""
    hot = x.unsqueeze(-1) == torch.arange(classes, device=x.device)
    return hot.to(dtype).movedim(-1, axis)


def tensor_dot(x: Tensor, y: Tensor) -> Tensor:
    """NumPy's ``dot``: sum over the last axis of the first and the last but one of the second."""
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return torch.tensordot(x, y, dims=([x.ndim - 1], [max(y.ndim - 2, 0)]))


def split(x: Tensor, parts: int | Sequence[int], axis: int) -> Sequence[Tensor]:
    """Equal parts of an axis, or parts cut at the given indices."""
    found: Sequence[Tensor] = torch.tensor_split(
        x, parts if isinstance(parts, int) else list(parts), dim=axis
    )
    return found


def pad(x: Tensor, widths: Sequence[Sequence[int]], mode: str, value: float = 0.0) -> Tensor:
    """(before, after) entries added to every axis."""
    flat = [amount for pair in reversed(list(widths)) for amount in pair]
    if mode == "constant":
        return functional.pad(x, flat, value=value)
    # Modes other than "constant" pad by indexing, axis by axis, for any rank.
    for axis, (before, after) in enumerate(widths):
        length = x.shape[axis]
        index = torch.arange(-before, length + after, device=x.device)
        if mode == "reflect":
            period = max(2 * (length - 1), 1)
            index = index.remainder(period)
            index = torch.minimum(index, period - index) if length > 1 else index * 0
        else:
            index = index.remainder(2 * length)
            index = torch.minimum(index, 2 * length - 1 - index)
        x = x.index_select(axis, index)
    return x


def unit(x: Tensor, axis: int | Sequence[int], epsilon: float) -> Tensor:
    """``x`` divided by its Euclidean norm, which counts as at least ``epsilon``."""
    square = x.square().sum(dim=axis, keepdim=True)
    return x * torch.rsqrt(square.clamp(min=epsilon**2))


def amount(x: Tensor | float, like: Tensor) -> Tensor:
    """A number as a tensor of the dtype and device of another; a tensor as it is."""
    return x if isinstance(x, Tensor) else torch.as_tensor(x, dtype=like.dtype, device=like.device)
