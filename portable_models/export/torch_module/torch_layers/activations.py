"""The activation functions of ``keras.activations`` in PyTorch."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def linear(x: Tensor) -> Tensor:
    """The identity."""
    return x


def relu(
    x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """Rectified linear unit: ``x`` above the threshold, the slope below it, cut at ``max_value``."""
    if negative_slope and max_value is None and threshold == 0:
        return functional.leaky_relu(x, negative_slope)
    kept = torch.where(x > threshold, x, 0.0) if threshold else functional.relu(x)
    if max_value is not None:
        kept = kept.clamp(0.0, max_value)
    return kept - negative_slope * functional.relu(threshold - x) if negative_slope else kept


def relu6(x: Tensor) -> Tensor:
    """ReLU cut at 6."""
    return functional.relu6(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """``x`` where positive, else ``negative_slope * x``."""
    return functional.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return functional.elu(x, alpha)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``."""
    return functional.celu(x, alpha)


def selu(x: Tensor) -> Tensor:
    """Scaled exponential linear unit."""
    return functional.selu(x)


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """Gaussian error linear unit, exact unless ``approximate`` (Keras's default is exact)."""
    return functional.gelu(x, approximate="tanh" if approximate else "none")


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return torch.sigmoid(x)


def log_sigmoid(x: Tensor) -> Tensor:
    """Logarithm of the sigmoid."""
    return functional.logsigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """``x / 6 + 0.5`` cut to [0, 1] (Keras 3; Keras 2 had the slope 0.2)."""
    return functional.hardsigmoid(x)


def sparse_sigmoid(x: Tensor) -> Tensor:
    """``(x + 1) / 2`` cut to [0, 1]."""
    return (0.5 * (x + 1)).clamp(0.0, 1.0)


def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``, also called swish."""
    return functional.silu(x)


def hard_silu(x: Tensor) -> Tensor:
    """``x * hard_sigmoid(x)``."""
    return functional.hardswish(x)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return torch.tanh(x)


def tanh_shrink(x: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return functional.tanhshrink(x)


def hard_tanh(x: Tensor) -> Tensor:
    """``x`` cut to [-1, 1]."""
    return functional.hardtanh(x)


def softplus(x: Tensor) -> Tensor:
    """``log(exp(x) + 1)``."""
    return functional.softplus(x)


def softsign(x: Tensor) -> Tensor:
    """``x / (abs(x) + 1)``."""
    return functional.softsign(x)


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x`` moved towards 0 by the threshold, 0 within it."""
    return functional.softshrink(x, threshold)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """``x``, but 0 within the threshold."""
    return functional.hardshrink(x, threshold)


def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, ``x`` from 1 on, a parabola between."""
    return torch.where(x <= -1, 0.0, torch.where(x < 1, 0.25 * (x + 1) ** 2, x))


def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """``(x + sqrt(x^2 + b)) / 2``."""
    return (x + torch.sqrt(x**2 + b)) / 2


def mish(x: Tensor) -> Tensor:
    """``x * tanh(softplus(x))``."""
    return x * torch.tanh(functional.softplus(x))


def exponential(x: Tensor) -> Tensor:
    """``exp(x)``."""
    return torch.exp(x)


def glu(x: Tensor, axis: int = -1) -> Tensor:
    """First half of the axis times the sigmoid of the second half."""
    return functional.glu(x, axis)


def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """``x`` above the threshold, ``default_value`` elsewhere."""
    return functional.threshold(x, threshold, default_value)


def softmax(x: Tensor, axis: int | tuple[int, ...] | list[int] | None = -1) -> Tensor:
    """Exponentials normalised over one axis, several axes, or (None) the whole tensor."""
    if isinstance(axis, int):
        return torch.softmax(x, dim=axis)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis)
    return torch.exp(x - torch.logsumexp(x, dim=axes, keepdim=True))


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Logarithm of the softmax over one axis."""
    return torch.log_softmax(x, dim=axis)


def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """Sparsemax as Keras 3.15 computes it.

    Its threshold adds up cumulative sums, where the paper's (https://arxiv.org/abs/1602.02068) takes the
    last one, so more than two entries in the support do not sum to 1.
    """
    ordered = torch.sort(x, dim=axis, descending=True).values
    sums = torch.cumsum(ordered, dim=axis)
    shape = [1] * x.ndim
    shape[axis] = -1
    rank = torch.arange(1, x.shape[axis] + 1, device=x.device, dtype=x.dtype).view(shape)
    support = ordered - (sums - 1) / rank > 0
    size = support.sum(dim=axis, keepdim=True)
    tau = (torch.where(support, sums, 0.0).sum(dim=axis, keepdim=True) - 1) / size
    return (x - tau).clamp(min=0.0)


class Activation(nn.Module):
    """An activation function as a layer."""

    def __init__(self, function: Callable[..., Tensor], **settings: object) -> None:
        super().__init__()
        self.function = function
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function to every element."""
        return self.function(x, **self.settings)


class Softmax(nn.Module):
    """Softmax as a layer; masked positions get 0."""

    def __init__(self, axis: int | tuple[int, ...] | list[int] = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise over the axis."""
        if mask is None:
            return softmax(x, self.axis)
        mask = mask if mask.dtype == torch.bool else mask > 0.5
        large = -3e4 if x.dtype == torch.float16 else -1e9
        return torch.where(mask, softmax(torch.where(mask, x, large), self.axis), 0.0)


class PReLU(nn.Module):
    """ReLU whose slope below 0 is trained, of shape ``shape`` (without the batch)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function to every element."""
        return functional.relu(x) - self.alpha * functional.relu(-x)
