"""Small models of medicai for images, without weights."""

from __future__ import annotations

import keras
from medicai.models import SegFormer, UNet


def unet() -> keras.Model:
    """A U-Net on the first stages of a DenseNet."""
    return UNet(
        input_shape=(32, 32, 1),
        encoder_name="densenet121",
        encoder_depth=3,
        decoder_filters=(8, 4, 4),
        num_classes=2,
    )


def segformer() -> keras.Model:
    """Attention with reduced keys, and resizing of what four stages give."""
    return SegFormer(
        input_shape=(32, 32, 3), encoder_name="mit_b0", num_classes=2, decoder_head_embedding_dim=8
    )
