"""Normalisation layers, and the preprocessing layers that scale."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def along(vector: Tensor, axis: int, rank: int) -> Tensor:
    """A vector shaped to be broadcast along one axis of a tensor of this rank."""
    shape = [1] * rank
    shape[axis] = -1
    return vector.reshape(shape)


class BatchNormalization(nn.Module):
    """Batch normalisation; moving statistics are buffers, updated in training mode.

    As in Keras, ``momentum`` is the share of the *old* statistic (PyTorch counts the new one), and
    the moving variance follows the biased variance of the batch. With ``frozen`` (Keras's
    ``trainable = False``) the moving statistics are used, and kept, in training mode too.
    """

    def __init__(
        self,
        features: int,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(features)) if scale else None
        self.beta = nn.Parameter(torch.zeros(features)) if center else None
        self.moving_mean: Tensor
        self.moving_variance: Tensor
        self.register_buffer("moving_mean", torch.zeros(features))
        self.register_buffer("moving_variance", torch.ones(features))
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.frozen = frozen

    def forward(
        self, x: Tensor, mask: Tensor | None = None, training: bool | None = None
    ) -> Tensor:
        """Normalise every feature; steps outside the mask do not count in the statistics."""
        training = self.training if training is None else training
        if training and not self.frozen:
            mean, variance = self.moments(x, mask)
            with torch.no_grad():
                kept = self.momentum
                self.moving_mean.copy_(self.moving_mean * kept + mean * (1 - kept))
                self.moving_variance.copy_(self.moving_variance * kept + variance * (1 - kept))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        factor = torch.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * self.gamma
        y = (x - along(mean, self.axis, x.ndim)) * along(factor, self.axis, x.ndim)
        return y if self.beta is None else y + along(self.beta, self.axis, x.ndim)

    def moments(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and biased variance of every feature over the batch."""
        axes = [axis for axis in range(x.ndim) if axis != self.axis % x.ndim]
        if mask is None:
            variance, mean = torch.var_mean(x, dim=axes, correction=0)
            return mean, variance
        present = mask.to(torch.bool).unsqueeze(-1).expand(x.shape)
        # Keras divides by the count plus its epsilon, so that an empty mask gives 0.
        count = present.to(x.dtype).sum(dim=axes, keepdim=True) + 1e-7
        mean = torch.where(present, x, 0.0).sum(dim=axes, keepdim=True) / count
        square = torch.where(present, x - mean, 0.0).square()
        variance = square.sum(dim=axes, keepdim=True) / count
        return mean.flatten(), variance.flatten()


class LayerNormalization(nn.Module):
    """Every sample normalised over ``axes``, which have the lengths ``shape``."""

    def __init__(
        self,
        shape: Sequence[int],
        axes: Sequence[int] = (-1,),
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        rms_scaling: bool = False,
    ) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(shape)) if scale else None
        self.beta = nn.Parameter(torch.zeros(shape)) if center else None
        self.axes = tuple(axes)
        self.epsilon = epsilon
        self.rms_scaling = rms_scaling

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; with ``rms_scaling`` the mean is not taken off."""
        variance, mean = torch.var_mean(x, dim=self.axes, correction=0, keepdim=True)
        factor = torch.rsqrt(variance + self.epsilon)
        shape = [1] * x.ndim
        for axis in self.axes:
            shape[axis] = x.shape[axis]
        if self.gamma is not None:
            factor = factor * self.gamma.reshape(shape)
        y = x * factor if self.rms_scaling else (x - mean) * factor
        return y if self.beta is None else y + self.beta.reshape(shape)


class RMSNormalization(nn.Module):
    """Every sample divided by the root mean square over one axis, times ``scale``."""

    def __init__(self, features: int, axis: int = -1, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.axis = axis
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        square = x.square().mean(dim=self.axis, keepdim=True)
        return x * torch.rsqrt(square + self.epsilon) * along(self.scale, self.axis, x.ndim)


class GroupNormalization(nn.Module):
    """Every sample normalised over each group of features and all other axes."""

    def __init__(
        self,
        features: int,
        groups: int,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
    ) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(features)) if scale else None
        self.beta = nn.Parameter(torch.zeros(features)) if center else None
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        y = x.movedim(self.axis, 1)
        grouped = y.reshape(y.shape[0], self.groups, -1)
        variance, mean = torch.var_mean(grouped, dim=2, correction=0, keepdim=True)
        grouped = (grouped - mean) * torch.rsqrt(variance + self.epsilon)
        y = grouped.reshape(y.shape).movedim(1, self.axis)
        if self.gamma is not None:
            y = y * along(self.gamma, self.axis, x.ndim)
        return y if self.beta is None else y + along(self.beta, self.axis, x.ndim)


class UnitNormalization(nn.Module):
    """Every sample divided by its Euclidean norm over ``axes``."""

    def __init__(self, axes: Sequence[int] = (-1,)) -> None:
        super().__init__()
        self.axes = tuple(axes)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; a zero vector stays zero."""
        square = x.square().sum(dim=self.axes, keepdim=True)
        return x * torch.rsqrt(square.clamp(min=1e-24))


class Rescaling(nn.Module):
    """``x * scale + offset``, in the floating dtype of the model whatever the input's dtype."""

    def __init__(self, shape: Sequence[int] = ()) -> None:
        super().__init__()
        self.scale: Tensor
        self.offset: Tensor
        self.register_buffer("scale", torch.ones(shape))
        self.register_buffer("offset", torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Rescale."""
        return x.to(self.scale.dtype) * self.scale + self.offset


class Normalization(nn.Module):
    """``(x - mean) / sqrt(variance)`` with statistics taken from data before training."""

    def __init__(self, shape: Sequence[int], invert: bool = False) -> None:
        super().__init__()
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))
        self.invert = invert

    def forward(self, x: Tensor) -> Tensor:
        """Standardise, or undo it."""
        deviation = self.variance.sqrt().clamp(min=1e-7)
        x = x.to(self.mean.dtype)
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation
