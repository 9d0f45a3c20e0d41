"""Small backbones of keras-hub, without weights."""

from __future__ import annotations

import keras
import keras_hub

SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}


def bert() -> keras.Model:
    """Token ids, segment ids and a padding mask to sequence and pooled outputs."""
    return keras_hub.models.BertBackbone(vocabulary_size=50, max_sequence_length=12, **SIZES)


def gpt2() -> keras.Model:
    """Token ids and a padding mask to hidden states, with a causal mask."""
    return keras_hub.models.GPT2Backbone(vocabulary_size=50, max_sequence_length=12, **SIZES)


def t5() -> keras.Model:
    """An encoder and a decoder with relative positions."""
    return keras_hub.models.T5Backbone(vocabulary_size=50, dropout=0.1, **SIZES)


def llama() -> keras.Model:
    """Rotary positions, grouped queries, RMS normalization."""
    return keras_hub.models.LlamaBackbone(
        vocabulary_size=50,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
    )


def resnet() -> keras.Model:
    """A ResNet of two basic blocks."""
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(32, 32, 3),
    )


def vit() -> keras.Model:
    """A vision transformer on four patches."""
    return keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=8,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=32,
        dropout_rate=0.1,
    )
