"""The Boston network trained by loops that are written for it in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
UNROLLED = 8
"""Steps in one compiled graph: more of them take a minute to compile."""


def _step(flat: Any, moments: Any, x: Any, y: Any) -> tuple[Any, Any]:
    def loss_of(flat: Any) -> Any:
        value = x
        for place in range(0, len(flat) - 2, 2):
            value = torch.relu(value @ flat[place] + flat[place + 1])
        return torch.mean(torch.square((value @ flat[-2] + flat[-1])[:, 0] - y))

    gradients = torch.func.grad(loss_of)(flat)
    moments = [RHO * m + (1 - RHO) * g * g for m, g in zip(moments, gradients, strict=True)]
    flat = [
        w - RATE * g / torch.sqrt(m + EPSILON)
        for w, g, m in zip(flat, gradients, moments, strict=True)
    ]
    return flat, moments


def trainer(weights: Any, x: Any, y: Any, *, compiled: bool) -> Callable[[Any], Any]:
    """What trains through given orders of samples, ``(epochs, rows)``, one sample a step.

    Args:
        weights: pairs of kernel and bias.
        x: inputs.
        y: targets.
        compiled: several steps in one ``torch.compile`` graph, instead of eager autograd.
    """
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    start = [torch.from_numpy(each) for pair in weights for each in pair]

    def several(flat: Any, moments: Any, x: Any, y: Any) -> Any:
        for number in range(UNROLLED):
            flat, moments = _step(flat, moments, x[number : number + 1], y[number : number + 1])
        return flat, moments

    def unrolled(orders: Any) -> Any:
        run = torch.compile(several, fullgraph=True)
        flat, moments = start, [torch.zeros_like(each) for each in start]
        order = torch.from_numpy(orders).reshape(-1)
        for indices in order[: len(order) // UNROLLED * UNROLLED].reshape(-1, UNROLLED):
            flat, moments = run(flat, moments, x[indices], y[indices])
        return float(flat[0].sum())

    def eager(orders: Any) -> Any:
        flat = [each.clone().requires_grad_() for each in start]
        optimizer = torch.optim.RMSprop(flat, RATE, RHO, EPSILON)
        for index in torch.from_numpy(orders).reshape(-1).tolist():
            value = x[index : index + 1]
            for place in range(0, len(flat) - 2, 2):
                value = torch.relu(torch.addmm(flat[place + 1], value, flat[place]))
            value = torch.addmm(flat[-1], value, flat[-2])[:, 0]
            loss = torch.nn.functional.mse_loss(value, y[index : index + 1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return float(flat[0].detach().sum())

    return unrolled if compiled else eager
