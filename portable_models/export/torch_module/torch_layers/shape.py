"""Layers that move values without computing: reshape, permute, pad, crop, repeat, upsample."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Flatten(nn.Module):
    """``(batch, ...)`` to ``(batch, product)``, channels last whatever the data format."""

    def __init__(self, channels_first: bool = False) -> None:
        super().__init__()
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Flatten all but the batch axis."""
        if self.channels_first and x.ndim > 2:
            x = x.movedim(1, -1)
        return x.reshape(x.shape[0], 1) if x.ndim == 1 else x.reshape(x.shape[0], -1)


class Reshape(nn.Module):
    """``(batch, ...)`` to ``(batch, *shape)``; one entry may be -1."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Reshape all but the batch axis."""
        return x.reshape(x.shape[0], *self.shape)


class Permute(nn.Module):
    """Reorders the axes after the batch; they are counted from 1."""

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = tuple(dims)

    def forward(self, x: Tensor) -> Tensor:
        """Permute the axes."""
        return x.permute(0, *self.dims)


class RepeatVector(nn.Module):
    """``(batch, features)`` to ``(batch, n, features)``."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        """Repeat the vector ``n`` times."""
        return x.unsqueeze(1).expand(-1, self.n, -1)


class ZeroPadding(nn.Module):
    """Zeros around the spatial axes: one (before, after) pair per axis."""

    def __init__(self, padding: Sequence[Sequence[int]], channels_first: bool = False) -> None:
        super().__init__()
        self.padding = tuple((before, after) for before, after in padding)
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Pad the spatial axes."""
        # torch.nn.functional.pad counts the axes from the last one.
        flat = [amount for pair in reversed(self.padding) for amount in pair]
        return functional.pad(x, flat if self.channels_first else [0, 0, *flat])


class Cropping(nn.Module):
    """Cuts (before, after) entries off each spatial axis."""

    def __init__(self, cropping: Sequence[Sequence[int]], channels_first: bool = False) -> None:
        super().__init__()
        self.cropping = tuple((before, after) for before, after in cropping)
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Crop the spatial axes."""
        first = 2 if self.channels_first else 1
        for axis, (before, after) in enumerate(self.cropping, start=first):
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x


class UpSampling(nn.Module):
    """Repeats the entries of each spatial axis (nearest), or interpolates two axes bilinearly."""

    def __init__(
        self, size: Sequence[int], interpolation: str = "nearest", channels_first: bool = False
    ) -> None:
        super().__init__()
        self.size = tuple(size)
        self.interpolation = interpolation
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge the spatial axes by the factors ``size``."""
        first = 2 if self.channels_first else 1
        if self.interpolation == "nearest":
            for axis, factor in enumerate(self.size, start=first):
                x = torch.repeat_interleave(x, factor, dim=axis)
            return x
        x = x if self.channels_first else x.movedim(-1, 1)
        target = [length * factor for length, factor in zip(x.shape[2:], self.size, strict=True)]
        y = functional.interpolate(x, target, mode="bilinear", align_corners=False)
        return y if self.channels_first else y.movedim(1, -1)
