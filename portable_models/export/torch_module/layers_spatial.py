"""Translations of convolutions, poolings and scaling layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from portable_models._keras.classes import by_layer
from portable_models.export.torch_module.rendering import literal
from portable_models.export.torch_module.translation import (
    Context,
    Translation,
    Translator,
    constructor,
    own_weights,
    require,
)

_CONV_DEFAULTS = {
    "padding": "valid",
    "dilation": None,
    "groups": 1,
    "use_bias": True,
    "channels_first": False,
}


def _convolution(name: str, *kernels: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        dilation = tuple(layer.dilation_rate)
        made = constructor(
            name,
            *(literal(tuple(getattr(layer, kernel).shape)) for kernel in kernels),
            literal(tuple(layer.strides)),
            activation=context.activation(layer.activation),
            padding=layer.padding,
            dilation=dilation if any(rate != 1 for rate in dilation) else None,
            groups=getattr(layer, "groups", 1),
            use_bias=layer.bias is not None,
            channels_first=layer.data_format == "channels_first",
            defaults=_CONV_DEFAULTS,
        )
        return Translation(made, own_weights(layer, *kernels, "bias"))

    return translate


def _crops(layer: Any) -> tuple[tuple[int, int], ...]:
    """What to cut off PyTorch's whole transposed convolution, (before, after) for each axis.

    The window that Keras keeps is that of the gradient of TensorFlow's convolution: see "same" padding,
    https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2.
    """
    found = []
    for axis, (size, stride) in enumerate(zip(layer.kernel_size, layer.strides, strict=True)):
        extra = None if layer.output_padding is None else layer.output_padding[axis]
        covered = (size - 1) * layer.dilation_rate[axis] + 1
        if layer.padding == "valid":
            before, after = 0, -(max(covered, stride) - covered if extra is None else extra)
        else:
            kept = stride + covered - 2 if extra is None else covered + covered % 2 - 2 + extra
            left = min(kept // 2 + kept % 2, covered - 1)
            before, after = covered - 1 - left, covered - 1 - (kept - left)
        found.append((before, after))
    return tuple(found)


def _transposed(layer: Any, context: Context) -> Translation:
    dilation = tuple(layer.dilation_rate)
    made = constructor(
        "ConvTranspose",
        literal(tuple(layer.kernel.shape)),
        literal(tuple(layer.strides)),
        literal(_crops(layer)),
        activation=context.activation(layer.activation),
        dilation=dilation if any(rate != 1 for rate in dilation) else None,
        use_bias=layer.bias is not None,
        channels_first=layer.data_format == "channels_first",
        defaults=_CONV_DEFAULTS,
    )
    return Translation(made, own_weights(layer, "kernel", "bias"))


def _pooling(name: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        made = constructor(
            name,
            literal(tuple(layer.pool_size)),
            literal(tuple(layer.strides)),
            padding=layer.padding,
            channels_first=layer.data_format == "channels_first",
            defaults=_CONV_DEFAULTS,
        )
        return Translation(made)

    return translate


def _global_pooling(name: str, rank: int) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        made = constructor(
            name,
            literal(rank),
            keepdims=layer.keepdims,
            channels_first=layer.data_format == "channels_first",
            defaults={"keepdims": False, "channels_first": False},
        )
        return Translation(made)

    return translate


def _adaptive_pooling(kind: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        size = layer.output_size
        made = constructor(
            "AdaptivePooling",
            literal(kind),
            literal((size,) if isinstance(size, int) else tuple(size)),
            channels_first=layer.data_format == "channels_first",
            defaults=_CONV_DEFAULTS,
        )
        return Translation(made)

    return translate


def _rescaling(layer: Any, context: Context) -> Translation:
    scale, offset = np.broadcast_arrays(
        np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)
    )
    require(
        layer,
        scale.ndim == 0 or keras.config.image_data_format() == "channels_last",
        "a scale for each channel is carried for channels_last only",
    )
    values = {"scale": scale, "offset": offset}
    return Translation(f"Rescaling({literal(scale.shape) if scale.ndim else ''})", values)


def _normalization(layer: Any, context: Context) -> Translation:
    require(layer, layer.mean is not None, "it has not been adapted to data yet")
    values = {
        "mean": keras.ops.convert_to_numpy(layer.mean),
        "variance": keras.ops.convert_to_numpy(layer.variance),
    }
    shape = values["mean"].shape
    made = constructor(
        "Normalization", literal(shape), invert=layer.invert, defaults={"invert": False}
    )
    return Translation(made, values)


TRANSLATORS: dict[type[Any], Translator] = {
    layers.Conv1D: _convolution("Conv", "kernel"),
    layers.Conv2D: _convolution("Conv", "kernel"),
    layers.Conv3D: _convolution("Conv", "kernel"),
    layers.DepthwiseConv1D: _convolution("DepthwiseConv", "kernel"),
    layers.DepthwiseConv2D: _convolution("DepthwiseConv", "kernel"),
    layers.SeparableConv1D: _convolution("SeparableConv", "depthwise_kernel", "pointwise_kernel"),
    layers.SeparableConv2D: _convolution("SeparableConv", "depthwise_kernel", "pointwise_kernel"),
    layers.Conv1DTranspose: _transposed,
    layers.Conv2DTranspose: _transposed,
    layers.Conv3DTranspose: _transposed,
    layers.MaxPooling1D: _pooling("MaxPooling"),
    layers.MaxPooling2D: _pooling("MaxPooling"),
    layers.MaxPooling3D: _pooling("MaxPooling"),
    layers.AveragePooling1D: _pooling("AveragePooling"),
    layers.AveragePooling2D: _pooling("AveragePooling"),
    layers.AveragePooling3D: _pooling("AveragePooling"),
    layers.GlobalAveragePooling1D: _global_pooling("GlobalAveragePooling", 1),
    layers.GlobalAveragePooling2D: _global_pooling("GlobalAveragePooling", 2),
    layers.GlobalAveragePooling3D: _global_pooling("GlobalAveragePooling", 3),
    layers.GlobalMaxPooling1D: _global_pooling("GlobalMaxPooling", 1),
    layers.GlobalMaxPooling2D: _global_pooling("GlobalMaxPooling", 2),
    layers.GlobalMaxPooling3D: _global_pooling("GlobalMaxPooling", 3),
    layers.Rescaling: _rescaling,
    layers.Normalization: _normalization,
}
TRANSLATORS |= by_layer(
    {
        f"Adaptive{kind}Pooling{rank}D": _adaptive_pooling(kind.lower())
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    }
)
