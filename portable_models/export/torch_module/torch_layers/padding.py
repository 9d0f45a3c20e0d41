"""Paddings and data formats that convolutions and poolings share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


def same_padding(
    lengths: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """The "same" padding of TensorFlow, in the order of ``torch.nn.functional.pad`` (last axis first).

    A padding that cannot be split evenly has its larger half at the end, unlike PyTorch's own.
    See https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2.
    """
    flat: list[int] = []
    for length, size, stride, rate in zip(lengths, window, strides, dilation, strict=True):
        covered = (size - 1) * rate + 1
        # With stride 1 the amount does not depend on the length, and stays a constant in a graph.
        total = (
            covered - 1
            if stride == 1
            else max((-(-length // stride) - 1) * stride + covered - length, 0)
        )
        flat[:0] = [total // 2, total - total // 2]
    return flat


def pad_same(
    x: Tensor,
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    value: float = 0.0,
) -> Tensor:
    """Pad a channels-first tensor so that ``ceil(length / stride)`` windows fit."""
    flat = same_padding(x.shape[2:], window, strides, dilation)
    return functional.pad(x, flat, value=value) if any(flat) else x


def to_channels_first(x: Tensor, channels_first: bool) -> Tensor:
    """``(batch, ..., channels)`` to ``(batch, channels, ...)`` unless it is so already."""
    return x if channels_first else x.movedim(-1, 1)


def from_channels_first(x: Tensor, channels_first: bool) -> Tensor:
    """Back to the data format of the layer."""
    return x if channels_first else x.movedim(1, -1)
