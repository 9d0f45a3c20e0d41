"""Small models of keras-bio, without weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras_bio.dna.dnabert import DNABERTModel
from keras_bio.dna.hyena import HyenaDNAModel
from keras_bio.protein.esm2 import ESM2Model

SIZES = {
    "vocab_size": 24,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def esm2() -> keras.Model:
    """A protein language model with rotary positions."""
    return ESM2Model(mask_token_id=23, **SIZES)


def dnabert() -> keras.Model:
    """A BERT over k-mers."""
    return DNABERTModel(max_position_embeddings=16, **SIZES)


def hyena() -> keras.Model:
    """Long convolutions by FFT."""
    return HyenaDNAModel(d_model=8, n_layer=1, d_inner=16, max_seq_len=16, filter_order=8)


def example_inputs(rng: np.random.Generator, batch: int) -> dict[str, Any]:
    """Ids of 9 tokens, of which the last ones of some rows are padding."""
    ids = rng.integers(5, 12, (batch, 9)).astype("int32")
    lengths = rng.integers(4, 10, batch)
    mask = (np.arange(9) < lengths[:, None]).astype("int32")
    return {"input_ids": np.where(mask, ids, 1).astype("int32"), "attention_mask": mask}
