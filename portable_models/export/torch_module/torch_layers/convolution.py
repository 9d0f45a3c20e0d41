"""Convolutions. Kernels keep Keras's layout: (window..., inputs per group, filters)."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .padding import from_channels_first, pad_same, to_channels_first

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def kernel_for_torch(kernel: Tensor) -> Tensor:
    """(window..., inputs, filters) to (filters, inputs, window...)."""
    return kernel.permute(-1, -2, *range(kernel.ndim - 2))


def convolve(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    groups: int = 1,
) -> Tensor:
    """Convolve a channels-first tensor with a kernel in Keras's layout."""
    window = kernel.shape[:-2]
    if padding == "same":
        x = pad_same(x, window, strides, dilation)
    elif padding == "causal":
        x = functional.pad(x, (dilation[0] * (window[0] - 1), 0))
    return CONVOLUTIONS[len(window)](
        x, kernel_for_torch(kernel), stride=tuple(strides), dilation=tuple(dilation), groups=groups
    )


class Conv(nn.Module):
    """Convolution over 1, 2 or 3 axes (Keras ``Conv1D``, ``Conv2D``, ``Conv3D``)."""

    def __init__(
        self,
        kernel_shape: Sequence[int],
        strides: Sequence[int],
        padding: str = "valid",
        dilation: Sequence[int] | None = None,
        groups: int = 1,
        activation: Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(kernel_shape))
        self.bias = nn.Parameter(torch.zeros(kernel_shape[-1])) if use_bias else None
        self.strides = tuple(strides)
        self.padding = padding
        self.dilation = tuple(dilation or (1,) * len(self.strides))
        self.groups = groups
        self.activation = activation
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; the channels are last unless ``channels_first``."""
        x = to_channels_first(x, self.channels_first)
        y = convolve(x, self.kernel, self.strides, self.padding, self.dilation, self.groups)
        if self.bias is not None:
            y = y + self.bias.view(-1, *[1] * len(self.strides))
        y = from_channels_first(y, self.channels_first)
        return y if self.activation is None else self.activation(y)


class DepthwiseConv(nn.Module):
    """Each channel convolved with its own filters; kernel (window..., channels, multiplier)."""

    def __init__(
        self,
        kernel_shape: Sequence[int],
        strides: Sequence[int],
        padding: str = "valid",
        dilation: Sequence[int] | None = None,
        activation: Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        *_, channels, multiplier = kernel_shape
        self.kernel = nn.Parameter(torch.zeros(kernel_shape))
        self.bias = nn.Parameter(torch.zeros(channels * multiplier)) if use_bias else None
        self.strides = tuple(strides)
        self.padding = padding
        self.dilation = tuple(dilation or (1,) * len(self.strides))
        self.activation = activation
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Convolve every channel."""
        x = to_channels_first(x, self.channels_first)
        channels = self.kernel.shape[-2]
        kernel = self.kernel.reshape(*self.kernel.shape[:-2], 1, -1)
        y = convolve(x, kernel, self.strides, self.padding, self.dilation, channels)
        if self.bias is not None:
            y = y + self.bias.view(-1, *[1] * len(self.strides))
        y = from_channels_first(y, self.channels_first)
        return y if self.activation is None else self.activation(y)


class SeparableConv(nn.Module):
    """A depthwise convolution, then a convolution of window 1 over the channels."""

    def __init__(
        self,
        depthwise_shape: Sequence[int],
        pointwise_shape: Sequence[int],
        strides: Sequence[int],
        padding: str = "valid",
        dilation: Sequence[int] | None = None,
        activation: Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.depthwise_kernel = nn.Parameter(torch.zeros(depthwise_shape))
        self.pointwise_kernel = nn.Parameter(torch.zeros(pointwise_shape))
        self.bias = nn.Parameter(torch.zeros(pointwise_shape[-1])) if use_bias else None
        self.strides = tuple(strides)
        self.padding = padding
        self.dilation = tuple(dilation or (1,) * len(self.strides))
        self.activation = activation
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Convolve every channel, then mix the channels."""
        x = to_channels_first(x, self.channels_first)
        ones = (1,) * len(self.strides)
        kernel = self.depthwise_kernel
        channels = kernel.shape[-2]
        flat = kernel.reshape(*kernel.shape[:-2], 1, -1)
        y = convolve(x, flat, self.strides, self.padding, self.dilation, channels)
        y = convolve(y, self.pointwise_kernel, ones, "valid", ones)
        if self.bias is not None:
            y = y + self.bias.view(-1, *ones)
        y = from_channels_first(y, self.channels_first)
        return y if self.activation is None else self.activation(y)


class ConvTranspose(nn.Module):
    """Transposed convolution; kernel (window..., filters, inputs).

    PyTorch computes the whole result, then ``crops`` (before, after) are cut off each axis
    (negative: zeros are added), which holds for every stride, window and output padding.
    """

    def __init__(
        self,
        kernel_shape: Sequence[int],
        strides: Sequence[int],
        crops: Sequence[Sequence[int]],
        dilation: Sequence[int] | None = None,
        activation: Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
        channels_first: bool = False,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(kernel_shape))
        self.bias = nn.Parameter(torch.zeros(kernel_shape[-2])) if use_bias else None
        self.strides = tuple(strides)
        self.crops = tuple((before, after) for before, after in crops)
        self.dilation = tuple(dilation or (1,) * len(self.strides))
        self.activation = activation
        self.channels_first = channels_first

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge the spatial axes by the strides."""
        x = to_channels_first(x, self.channels_first)
        transpose = TRANSPOSED[len(self.strides)]
        kernel = kernel_for_torch(self.kernel)
        y = transpose(x, kernel, stride=self.strides, dilation=self.dilation)
        flat = [-amount for pair in reversed(self.crops) for amount in pair]
        y = functional.pad(y, flat) if any(flat) else y
        if self.bias is not None:
            y = y + self.bias.view(-1, *[1] * len(self.strides))
        y = from_channels_first(y, self.channels_first)
        return y if self.activation is None else self.activation(y)
