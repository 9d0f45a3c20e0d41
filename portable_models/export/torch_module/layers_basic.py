"""Translations of core, activation, normalisation, noise, reshaping and merging layers."""

from __future__ import annotations

from typing import Any

from keras import layers

from portable_models.export.torch_module.rendering import arguments, literal
from portable_models.export.torch_module.translation import (
    Context,
    Translation,
    Translator,
    constructor,
    own_weights,
    require,
)


def _first(layer: Any) -> bool:
    return bool(layer.data_format == "channels_first")


def _plain(name: str, *attributes: str) -> Translator:
    """A layer without weights whose module takes these attributes, in this order."""

    def translate(layer: Any, context: Context) -> Translation:
        return Translation(
            f"{name}({arguments(*(literal(getattr(layer, a)) for a in attributes))})"
        )

    return translate


def _dense(layer: Any, context: Context) -> Translation:
    made = constructor(
        "Dense",
        *map(literal, layer.kernel.shape),
        activation=context.activation(layer.activation),
        use_bias=layer.bias is not None,
        defaults={"use_bias": True},
    )
    # With LoRA the kernel is a tensor: Keras adds the factors' product to it, and merges them when it saves.
    return Translation(made, own_weights(layer, "kernel", "bias"))


def _einsum_dense(layer: Any, context: Context) -> Translation:
    made = constructor(
        "EinsumDense",
        literal(layer.equation),
        literal(tuple(layer.kernel.shape)),
        activation=context.activation(layer.activation),
        bias_shape=None if layer.bias is None else tuple(layer.bias.shape),
        defaults={"bias_shape": None},
    )
    return Translation(made, own_weights(layer, "kernel", "bias"))


def _embedding(layer: Any, context: Context) -> Translation:
    made = constructor(
        "Embedding",
        *map(literal, layer.embeddings.shape),
        mask_zero=layer.mask_zero,
        defaults={"mask_zero": False},
    )
    return Translation(made, own_weights(layer, "embeddings"))


def _activation(layer: Any, context: Context) -> Translation:
    return Translation(f"Activation({context.activation(layer.activation) or 'linear'})")


def _activation_of(function: str, *attributes: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        values = {name: getattr(layer, name) for name in attributes}
        return Translation(f"Activation({arguments(function, **values)})")

    return translate


def _prelu(layer: Any, context: Context) -> Translation:
    made = f"PReLU({literal(tuple(layer.alpha.shape))})"
    return Translation(made, own_weights(layer, "alpha"))


def _batch_normalization(layer: Any, context: Context) -> Translation:
    require(layer, not layer.renorm, "batch renormalisation (renorm=True) is not carried")
    require(layer, not layer.synchronized, "synchronized=True is not carried")
    made = constructor(
        "BatchNormalization",
        literal(layer.moving_mean.shape[0]),
        axis=layer.axis,
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        center=layer.center,
        scale=layer.scale,
        frozen=not layer.trainable,
        defaults={"axis": -1, "center": True, "scale": True, "frozen": False},
    )
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return Translation(made, own_weights(layer, *names))


def _layer_normalization(layer: Any, context: Context) -> Translation:
    weight = layer.gamma if layer.gamma is not None else layer.beta
    made = constructor(
        "LayerNormalization",
        literal(() if weight is None else tuple(weight.shape)),
        axes=tuple(layer.axis) if isinstance(layer.axis, list | tuple) else (layer.axis,),
        epsilon=layer.epsilon,
        center=layer.beta is not None,
        scale=layer.gamma is not None,
        rms_scaling=layer.rms_scaling,
        defaults={"axes": (-1,), "center": True, "scale": True, "rms_scaling": False},
    )
    return Translation(made, own_weights(layer, "gamma", "beta"))


def _group_normalization(layer: Any, context: Context) -> Translation:
    weight = layer.gamma if layer.gamma is not None else layer.beta
    made = constructor(
        "GroupNormalization",
        literal(0 if weight is None else weight.shape[0]),
        literal(layer.groups),
        axis=layer.axis,
        epsilon=layer.epsilon,
        center=layer.beta is not None,
        scale=layer.gamma is not None,
        defaults={"axis": -1, "center": True, "scale": True},
    )
    return Translation(made, own_weights(layer, "gamma", "beta"))


def _rms_normalization(layer: Any, context: Context) -> Translation:
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    require(layer, len(axes) == 1, "normalising several axes is not carried")
    made = constructor(
        "RMSNormalization",
        literal(layer.scale.shape[0]),
        axis=axes[0],
        epsilon=layer.epsilon,
        defaults={"axis": -1},
    )
    return Translation(made, own_weights(layer, "scale"))


def _unit_normalization(layer: Any, context: Context) -> Translation:
    axes = tuple(layer.axis) if isinstance(layer.axis, list | tuple) else (layer.axis,)
    return Translation(constructor("UnitNormalization", axes=axes, defaults={"axes": (-1,)}))


def _dropout(layer: Any, context: Context) -> Translation:
    shape = None if layer.noise_shape is None else tuple(layer.noise_shape)
    name = type(layer).__name__
    return Translation(
        constructor(name, literal(layer.rate), noise_shape=shape, defaults={"noise_shape": None})
    )


def _spatial_dropout(rank: int) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        first = rank > 1 and _first(layer)
        shape = (None, None, *[1] * rank) if first else (None, *[1] * rank, None)
        return Translation(constructor("Dropout", literal(layer.rate), noise_shape=shape))

    return translate


def _flatten(layer: Any, context: Context) -> Translation:
    defaults = {"channels_first": False}
    return Translation(constructor("Flatten", channels_first=_first(layer), defaults=defaults))


def _reshape(layer: Any, context: Context) -> Translation:
    shape = tuple(-1 if length is None else length for length in layer.target_shape)
    return Translation(f"Reshape({literal(shape)})")


def _pairs(name: str, attribute: str, rank: int) -> Translator:
    """ZeroPadding and Cropping: one (before, after) pair for each axis."""

    def translate(layer: Any, context: Context) -> Translation:
        amount = getattr(layer, attribute)
        pairs = tuple(map(tuple, amount)) if rank > 1 else (tuple(amount),)
        first = getattr(layer, "data_format", None) == "channels_first"
        return Translation(
            constructor(
                name, literal(pairs), channels_first=first, defaults={"channels_first": False}
            )
        )

    return translate


def _up_sampling(layer: Any, context: Context) -> Translation:
    size = (layer.size,) if isinstance(layer.size, int) else tuple(layer.size)
    interpolation = getattr(layer, "interpolation", "nearest")
    require(
        layer,
        interpolation in ("nearest", "bilinear"),
        f"interpolation={interpolation!r} is not carried",
    )
    made = constructor(
        "UpSampling",
        literal(size),
        interpolation=interpolation,
        channels_first=getattr(layer, "data_format", None) == "channels_first",
        defaults={"interpolation": "nearest", "channels_first": False},
    )
    return Translation(made)


def _merge(function: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        return Translation(f"Merge({function})")

    return translate


def _dot(layer: Any, context: Context) -> Translation:
    axes = layer.axes if isinstance(layer.axes, int) else tuple(layer.axes)
    return Translation(
        constructor("Dot", literal(axes), normalize=layer.normalize, defaults={"normalize": False})
    )


TRANSLATORS: dict[type[Any], Translator] = {
    layers.Dense: _dense,
    layers.EinsumDense: _einsum_dense,
    layers.Embedding: _embedding,
    layers.Masking: _plain("Masking", "mask_value"),
    layers.Identity: _plain("Identity"),
    layers.Activation: _activation,
    layers.ReLU: _activation_of("relu", "max_value", "negative_slope", "threshold"),
    layers.LeakyReLU: _activation_of("leaky_relu", "negative_slope"),
    layers.ELU: _activation_of("elu", "alpha"),
    layers.Softmax: _plain("Softmax", "axis"),
    layers.PReLU: _prelu,
    layers.BatchNormalization: _batch_normalization,
    layers.LayerNormalization: _layer_normalization,
    layers.GroupNormalization: _group_normalization,
    layers.RMSNormalization: _rms_normalization,
    layers.UnitNormalization: _unit_normalization,
    layers.Dropout: _dropout,
    layers.AlphaDropout: _dropout,
    layers.SpatialDropout1D: _spatial_dropout(1),
    layers.SpatialDropout2D: _spatial_dropout(2),
    layers.SpatialDropout3D: _spatial_dropout(3),
    layers.GaussianNoise: _plain("GaussianNoise", "stddev"),
    layers.GaussianDropout: _plain("GaussianDropout", "rate"),
    layers.Flatten: _flatten,
    layers.Reshape: _reshape,
    layers.Permute: _plain("Permute", "dims"),
    layers.RepeatVector: _plain("RepeatVector", "n"),
    layers.ZeroPadding1D: _pairs("ZeroPadding", "padding", 1),
    layers.ZeroPadding2D: _pairs("ZeroPadding", "padding", 2),
    layers.ZeroPadding3D: _pairs("ZeroPadding", "padding", 3),
    layers.Cropping1D: _pairs("Cropping", "cropping", 1),
    layers.Cropping2D: _pairs("Cropping", "cropping", 2),
    layers.Cropping3D: _pairs("Cropping", "cropping", 3),
    layers.UpSampling1D: _up_sampling,
    layers.UpSampling2D: _up_sampling,
    layers.UpSampling3D: _up_sampling,
    layers.Add: _merge("add"),
    layers.Subtract: _merge("subtract"),
    layers.Multiply: _merge("multiply"),
    layers.Average: _merge("average"),
    layers.Maximum: _merge("maximum"),
    layers.Minimum: _merge("minimum"),
    layers.Concatenate: _plain("Concatenate", "axis"),
    layers.Dot: _dot,
}
