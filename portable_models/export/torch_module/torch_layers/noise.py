"""Layers that draw random numbers in training mode, and do nothing in evaluation mode."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Sets a share of the entries to 0 and enlarges the rest, in training mode.

    ``noise_shape`` holds, per axis, None (the input's length) or the length of the mask drawn: 1
    drops whole slices, which is how ``SpatialDropout`` drops whole feature maps.
    """

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None) -> None:
        super().__init__()
        self.rate = rate
        self.noise_shape = noise_shape

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Drop entries in training mode."""
        if not (self.training if training is None else training) or self.rate <= 0:
            return x
        if self.rate >= 1:
            return torch.zeros_like(x)
        shape = list(x.shape)
        for axis, length in enumerate(self.noise_shape or ()):
            shape[axis] = shape[axis] if length is None else length
        kept = torch.rand(shape, dtype=x.dtype, device=x.device) >= self.rate
        return torch.where(kept, x / (1 - self.rate), 0.0)


class GaussianNoise(nn.Module):
    """Adds normal noise in training mode."""

    def __init__(self, stddev: float) -> None:
        super().__init__()
        self.stddev = stddev

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Add noise in training mode."""
        if not (self.training if training is None else training):
            return x
        return x + self.stddev * torch.randn_like(x)


class GaussianDropout(nn.Module):
    """Multiplies by normal noise of mean 1 in training mode."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Multiply by noise in training mode."""
        if not (self.training if training is None else training) or self.rate <= 0:
            return x
        return x * (1 + math.sqrt(self.rate / (1 - self.rate)) * torch.randn_like(x))


class AlphaDropout(nn.Module):
    """Dropout that keeps mean and variance of self-normalising networks, in training mode."""

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None) -> None:
        super().__init__()
        self.rate = rate
        self.noise_shape = noise_shape

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Drop entries to SELU's saturation value in training mode."""
        if not (self.training if training is None else training) or self.rate <= 0:
            return x
        shape = list(x.shape)
        for axis, length in enumerate(self.noise_shape or ()):
            shape[axis] = shape[axis] if length is None else length
        kept = torch.rand(shape, dtype=x.dtype, device=x.device) >= self.rate
        # -alpha * scale of SELU (https://arxiv.org/abs/1706.02515).
        saturation = -1.7580993408473766
        factor = ((1 - self.rate) * (1 + self.rate * saturation**2)) ** -0.5
        return factor * torch.where(kept, x, saturation) - factor * saturation * self.rate
