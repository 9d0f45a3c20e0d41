"""Poolings with TensorFlow's "same" padding, which no pooling of PyTorch has."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .padding import from_channels_first, pad_same, same_padding, to_channels_first

MAX_POOLS = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE_POOLS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
ADAPTIVE_AVERAGE = {
    1: functional.adaptive_avg_pool1d,
    2: functional.adaptive_avg_pool2d,
    3: functional.adaptive_avg_pool3d,
}
ADAPTIVE_MAX = {
    1: functional.adaptive_max_pool1d,
    2: functional.adaptive_max_pool2d,
    3: functional.adaptive_max_pool3d,
}


class MaxPooling(nn.Module):
    """Largest entry of each window; padding never wins."""

    def __init__(
        self,
        pool_size: Sequence[int],
        strides: Sequence[int],
        padding: str = "valid",
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.pool_size = tuple(pool_size)
        self.strides = tuple(strides)
        self.padding = padding
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Pool the spatial axes."""
        x = to_channels_first(x, self.channels_first)
        if self.padding == "same":
            ones = (1,) * len(self.strides)
            x = pad_same(x, self.pool_size, self.strides, ones, value=-torch.inf)
        y = MAX_POOLS[len(self.pool_size)](x, self.pool_size, stride=self.strides)
        return from_channels_first(y, self.channels_first)


class AveragePooling(nn.Module):
    """Mean of each window; padding does not count."""

    def __init__(
        self,
        pool_size: Sequence[int],
        strides: Sequence[int],
        padding: str = "valid",
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.pool_size = tuple(pool_size)
        self.strides = tuple(strides)
        self.padding = padding
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Pool the spatial axes."""
        x = to_channels_first(x, self.channels_first)
        pool = AVERAGE_POOLS[len(self.pool_size)]
        flat = [0]
        if self.padding == "same":
            ones = (1,) * len(self.strides)
            flat = same_padding(x.shape[2:], self.pool_size, self.strides, ones)
        if any(flat):
            # The share of each window that is not padding.
            share = functional.pad(torch.ones_like(x[:1, :1]), flat)
            y = pool(functional.pad(x, flat), self.pool_size, stride=self.strides)
            y = y / pool(share, self.pool_size, stride=self.strides)
        else:
            y = pool(x, self.pool_size, stride=self.strides)
        return from_channels_first(y, self.channels_first)


class GlobalAveragePooling(nn.Module):
    """Mean over the spatial axes; over the unmasked steps where there is a mask."""

    def __init__(self, rank: int, keepdims: bool = False, channels_first: bool = False) -> None:
        super().__init__()
        self.axes = tuple(range(2, rank + 2)) if channels_first else tuple(range(1, rank + 1))
        self.keepdims = keepdims

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, ..., channels)`` to ``(batch, channels)``."""
        if mask is None:
            return x.mean(dim=self.axes, keepdim=self.keepdims)
        weight = mask.to(torch.bool).unsqueeze(2 if self.axes == (1,) else 1)
        total = torch.where(weight, x, 0.0).sum(dim=self.axes, keepdim=self.keepdims)
        return total / weight.to(x.dtype).sum(dim=self.axes, keepdim=self.keepdims)


class GlobalMaxPooling(nn.Module):
    """Largest entry over the spatial axes."""

    def __init__(self, rank: int, keepdims: bool = False, channels_first: bool = False) -> None:
        super().__init__()
        self.axes = tuple(range(2, rank + 2)) if channels_first else tuple(range(1, rank + 1))
        self.keepdims = keepdims

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, ..., channels)`` to ``(batch, channels)``."""
        return x.amax(dim=self.axes, keepdim=self.keepdims)


class AdaptivePooling(nn.Module):
    """Windows chosen so that the result has the spatial shape ``output_size``."""

    def __init__(self, kind: str, output_size: Sequence[int], channels_first: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self.output_size = tuple(output_size)
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Pool the spatial axes."""
        pools = ADAPTIVE_MAX if self.kind == "max" else ADAPTIVE_AVERAGE
        x = to_channels_first(x, self.channels_first)
        y = pools[len(self.output_size)](x, self.output_size)
        return from_channels_first(y, self.channels_first)
