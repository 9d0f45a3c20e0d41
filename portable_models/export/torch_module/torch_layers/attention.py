"""Attention layers."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .core import EinsumDense
from .noise import Dropout


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """True where a query may see a key: not later than itself; shape (1, queries, keys)."""
    return torch.ones(1, queries, keys, dtype=torch.bool, device=device).tril()


class MultiHeadAttention(nn.Module):
    """Multi-head attention; the projections are in Keras's layout (model, heads, head size).

    ``repeats`` is the number of query heads that share a key and value head (1, unless grouped).
    The equations contract (key, query) to scores and (scores, value) to outputs.
    """

    def __init__(
        self,
        query: EinsumDense,
        key: EinsumDense,
        value: EinsumDense,
        attention_output: EinsumDense,
        key_dim: int,
        scores_equation: str,
        output_equation: str,
        dropout: float = 0.0,
        repeats: int = 1,
        gate: EinsumDense | None = None,
        attention_rank: int = 1,
    ) -> None:
        super().__init__()
        self.query = query
        self.key = key
        self.value = value
        self.gate = gate
        self.attention_output = attention_output
        self.dropout = Dropout(dropout)
        self.factor = 1 / math.sqrt(key_dim)
        self.scores_equation = scores_equation
        self.output_equation = output_equation
        self.repeats = repeats
        self.attention_rank = attention_rank

    def forward(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend; masks are True where a position takes part."""
        mask = None if attention_mask is None else attention_mask.to(torch.bool)
        parts = [
            None if query_mask is None else query_mask.to(torch.bool).unsqueeze(-1),
            None if value_mask is None else value_mask.to(torch.bool).unsqueeze(-2),
            None if key_mask is None else key_mask.to(torch.bool).unsqueeze(-2),
            causal_mask(query.shape[1], value.shape[1], query.device) if use_causal_mask else None,
        ]
        for part in parts:
            if part is not None:
                mask = part if mask is None else mask & part
        q = self.query(query) * self.factor
        k = self.key(value if key is None else key)
        v = self.value(value)
        if self.repeats > 1:
            k = k.repeat_interleave(self.repeats, dim=2)
            v = v.repeat_interleave(self.repeats, dim=2)
        scores = torch.einsum(self.scores_equation, k, q)
        # Keras zeroes a row that is masked whole only where it computes the weights itself;
        # its fused attention gives every position the same weight there.
        fused = self.dropout.rate == 0 and not return_attention_scores and q.ndim == 4
        weights = self.weights(scores, mask, zero_masked=not fused)
        y = torch.einsum(self.output_equation, self.dropout(weights, training=training), v)
        if self.gate is not None:
            y = y * self.gate(query)
        y = self.attention_output(y)
        return (y, weights) if return_attention_scores else y

    def weights(self, scores: Tensor, mask: Tensor | None, zero_masked: bool) -> Tensor:
        """Softmax of the scores over the keys, without the masked ones."""
        axes = tuple(range(-self.attention_rank, 0))
        if mask is not None:
            while mask.ndim < scores.ndim:
                mask = mask.unsqueeze(-2 * self.attention_rank - 1)
            large = -3e4 if scores.dtype == torch.float16 else -1e9
            scores = torch.where(mask, scores, large)
        if len(axes) == 1:
            weights = torch.softmax(scores, dim=-1)
        else:
            weights = torch.exp(scores - torch.logsumexp(scores, dim=axes, keepdim=True))
        return torch.where(mask, weights, 0.0) if mask is not None and zero_masked else weights


class Attention(nn.Module):
    """Dot-product (Luong) attention on inputs [query, value] or [query, value, key]."""

    def __init__(
        self, score_mode: str = "dot", use_scale: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(())) if use_scale else None
        concat = score_mode == "concat"
        self.concat_score_weight = nn.Parameter(torch.ones(())) if concat else None
        self.dropout = Dropout(dropout)

    def forward(
        self,
        inputs: Sequence[Tensor],
        mask: Sequence[Tensor | None] | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend; masks are True where a position takes part."""
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        scores = self.scores(query, key)
        allowed = None if mask is None or mask[1] is None else mask[1].unsqueeze(-2)
        if use_causal_mask:
            causal = causal_mask(scores.shape[-2], scores.shape[-1], scores.device)
            allowed = causal if allowed is None else allowed & causal
        if allowed is not None:
            large = 65504.0 if scores.dtype == torch.float16 else 1.0e9
            scores = torch.where(allowed, scores, scores - large)
        weights = torch.softmax(scores, dim=-1)
        weights = self.dropout(weights, training=training)
        y = torch.matmul(weights, value)
        if mask is not None and mask[0] is not None:
            y = torch.where(mask[0].unsqueeze(-1), y, 0.0)
        return (y, weights) if return_attention_scores else y

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well every query (axis -2) fits every key (axis -1)."""
        if self.concat_score_weight is None:
            scores = torch.matmul(query, key.transpose(-1, -2))
            return scores if self.scale is None else scores * self.scale
        both = query.unsqueeze(-2) + key.unsqueeze(-3)
        both = both if self.scale is None else self.scale * both
        return self.concat_score_weight * torch.tanh(both).sum(dim=-1)

    def compute_mask(
        self, inputs: Sequence[Tensor], mask: Sequence[Tensor | None] | None
    ) -> Tensor | None:
        """The query's mask."""
        return None if mask is None else mask[0]


class AdditiveAttention(Attention):
    """Additive (Bahdanau) attention; ``features`` is None without a trained scale."""

    def __init__(self, features: int | None, dropout: float = 0.0) -> None:
        super().__init__(dropout=dropout)
        self.scale = None if features is None else nn.Parameter(torch.ones(features))

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well every query (axis -2) fits every key (axis -1)."""
        both = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
        return (both if self.scale is None else self.scale * both).sum(dim=-1)
