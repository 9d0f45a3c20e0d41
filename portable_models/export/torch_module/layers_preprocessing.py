"""Layers that PyTorch has no layer for: the inference meaning of some, a clear refusal of others."""

from __future__ import annotations

from typing import Any

from portable_models._keras.classes import by_layer
from portable_models.export.torch_module.translation import (
    Context,
    Translation,
    Translator,
    require,
)


def _identity(layer: Any, context: Context) -> Translation:
    """Inference only: in training a data pipeline of PyTorch draws, not the module."""
    return Translation("Identity()")


def _spectral_normalization(layer: Any, context: Context) -> Translation:
    """The wrapped layer with the kernel as the last training step left it."""
    return context.child(layer.layer)


_PREPROCESSING = (
    "it turns words or raw numbers into ids or codes, which is no torch.nn; cut it off, export the rest, "
    "and do this step in the data pipeline (get_vocabulary() gives its words)"
)


def _refuse(reason: str) -> Translator:
    def translate(layer: Any, context: Context) -> Translation:
        require(layer, False, reason)
        raise AssertionError

    return translate


TRANSLATORS: dict[type[Any], Translator] = by_layer(
    dict.fromkeys(
        (
            "RandomBrightness",
            "RandomColorDegeneration",
            "RandomColorJitter",
            "RandomContrast",
            "RandomErasing",
            "RandomFlip",
            "RandomGaussianBlur",
            "RandomGrayscale",
            "RandomHue",
            "RandomInvert",
            "RandomPerspective",
            "RandomPosterization",
            "RandomRotation",
            "RandomSaturation",
            "RandomSharpness",
            "RandomShear",
            "RandomTranslation",
            "RandomZoom",
        ),
        _identity,
    )
    | {
        "SpectralNormalization": _spectral_normalization,
        "ActivityRegularization": _identity,
    }
    | dict.fromkeys(
        (
            "CategoryEncoding",
            "Discretization",
            "HashedCrossing",
            "Hashing",
            "IntegerLookup",
            "StringLookup",
            "TextVectorization",
        ),
        _refuse(_PREPROCESSING),
    )
)
