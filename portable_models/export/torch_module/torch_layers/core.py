"""Dense, EinsumDense, Embedding, Masking, and layers without weights that pass values on."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Dense(nn.Module):
    """``activation(x @ kernel + bias)`` over the last axis; the kernel is (inputs, units) as in Keras."""

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: Callable[[Tensor], Tensor] | None = None,
        use_bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, units))
        self.bias = nn.Parameter(torch.zeros(units)) if use_bias else None
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., inputs)`` to ``(..., units)``."""
        y = torch.matmul(x, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)


class EinsumDense(nn.Module):
    """``activation(einsum(equation, x, kernel) + bias)``."""

    def __init__(
        self,
        equation: str,
        kernel_shape: Sequence[int],
        bias_shape: Sequence[int] | None = None,
        activation: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.equation = equation
        self.kernel = nn.Parameter(torch.zeros(kernel_shape))
        self.bias = None if bias_shape is None else nn.Parameter(torch.zeros(bias_shape))
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Contract the input with the kernel."""
        y = torch.einsum(self.equation, x, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)


class Embedding(nn.Module):
    """Rows of a table, one per word id."""

    def __init__(self, input_dim: int, output_dim: int, mask_zero: bool = False) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.zeros(input_dim, output_dim))
        self.mask_zero = mask_zero

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids of any shape to ``ids.shape + (output_dim,)``."""
        if ids.dtype not in (torch.int32, torch.int64):
            ids = ids.to(torch.int32)
        return nn.functional.embedding(ids, self.embeddings)

    def compute_mask(self, ids: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """True where the id is not 0 (the padding), if ``mask_zero``."""
        return ids != 0 if self.mask_zero else None


class Masking(nn.Module):
    """Sets to 0, and masks, the time steps whose features all equal ``mask_value``."""

    def __init__(self, mask_value: float = 0.0) -> None:
        super().__init__()
        self.mask_value = mask_value

    def forward(self, x: Tensor) -> Tensor:
        """Zero the masked steps."""
        return torch.where((x != self.mask_value).any(dim=-1, keepdim=True), x, 0.0)

    def compute_mask(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """True where a step has a feature other than ``mask_value``."""
        return (x != self.mask_value).any(dim=-1)


class Identity(nn.Module):
    """Returns its input (Keras ``Identity``, and ``ActivityRegularization``'s forward pass)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the input."""
        return x
