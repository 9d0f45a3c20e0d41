"""Recurrent layers: cells that make one step, and the layers that run them over time."""

# PyTorch is not followed by the type checker here (pyproject.toml), so nn.Module is Any.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def dropout_masks(x: Tensor, rate: float, count: int) -> list[Tensor]:
    """Masks of the shape of ``x`` that hold 0 or ``1 / (1 - rate)``; none if the rate is 0."""
    if not rate:
        return []
    return [(torch.rand_like(x) >= rate).to(x.dtype) / (1 - rate) for _ in range(count)]


def masked_matmul(x: Tensor, kernel: Tensor, masks: Sequence[Tensor]) -> Tensor:
    """``x @ kernel`` with no mask, one mask for all gates, or one mask for each gate."""
    if len(masks) <= 1:
        return torch.matmul(x * masks[0] if masks else x, kernel)
    gates = kernel.chunk(len(masks), dim=-1)
    parts = [torch.matmul(x * mask, gate) for mask, gate in zip(masks, gates, strict=True)]
    return torch.cat(parts, dim=-1)


class SimpleRNNCell(nn.Module):
    """``h = activation(x @ kernel + bias + h @ recurrent_kernel)``."""

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: Callable[[Tensor], Tensor],
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        mask_count: int = 1,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, units))
        self.recurrent_kernel = nn.Parameter(torch.zeros(units, units))
        self.bias = nn.Parameter(torch.zeros(units)) if use_bias else None
        self.state_sizes = (units,)
        self.activation = activation
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.mask_count = mask_count

    def project(self, x: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """The part of a step that needs no state, for any number of steps at once."""
        y = masked_matmul(x, self.kernel, masks)
        return y if self.bias is None else y + self.bias

    def step(
        self, projected: Tensor, states: Sequence[Tensor], masks: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """One step; the dropout masks are those of the state."""
        inner = masked_matmul(states[0], self.recurrent_kernel, masks)
        h = self.activation(projected + inner)
        return h, [h]


class LSTMCell(nn.Module):
    """Long short-term memory; gates in Keras's order: input, forget, candidate, output."""

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: Callable[[Tensor], Tensor],
        recurrent_activation: Callable[[Tensor], Tensor],
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        mask_count: int = 1,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, 4 * units))
        self.recurrent_kernel = nn.Parameter(torch.zeros(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units)) if use_bias else None
        self.state_sizes = (units, units)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.mask_count = mask_count

    def project(self, x: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """The part of a step that needs no state, for any number of steps at once."""
        y = masked_matmul(x, self.kernel, masks)
        return y if self.bias is None else y + self.bias

    def step(
        self, projected: Tensor, states: Sequence[Tensor], masks: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """One step; the dropout masks are those of the state."""
        h, c = states
        gates = projected + masked_matmul(h, self.recurrent_kernel, masks)
        i, f, candidate, o = gates.chunk(4, dim=-1)
        i, f = self.recurrent_activation(i), self.recurrent_activation(f)
        c = f * c + i * self.activation(candidate)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]


class GRUCell(nn.Module):
    """Gated recurrent unit; gates in Keras's order: update, reset, candidate."""

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: Callable[[Tensor], Tensor],
        recurrent_activation: Callable[[Tensor], Tensor],
        use_bias: bool = True,
        reset_after: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        mask_count: int = 1,
    ) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, 3 * units))
        self.recurrent_kernel = nn.Parameter(torch.zeros(units, 3 * units))
        bias_shape = (2, 3 * units) if reset_after else (3 * units,)
        self.bias = nn.Parameter(torch.zeros(bias_shape)) if use_bias else None
        self.state_sizes = (units,)
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.reset_after = reset_after
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.mask_count = mask_count

    def project(self, x: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """The part of a step that needs no state, for any number of steps at once."""
        y = masked_matmul(x, self.kernel, masks)
        if self.bias is None:
            return y
        return y + (self.bias[0] if self.reset_after else self.bias)

    def step(
        self, projected: Tensor, states: Sequence[Tensor], masks: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """One step; the dropout masks are those of the state."""
        h = states[0]
        units = h.shape[-1]
        x_gates, x_candidate = projected[..., : 2 * units], projected[..., 2 * units :]
        if self.reset_after:
            inner = masked_matmul(h, self.recurrent_kernel, masks)
            if self.bias is not None:
                inner = inner + self.bias[1]
            gates = self.recurrent_activation(x_gates + inner[..., : 2 * units])
            z, r = gates.chunk(2, dim=-1)
            candidate = self.activation(x_candidate + r * inner[..., 2 * units :])
        else:
            inner = masked_matmul(h, self.recurrent_kernel[:, : 2 * units], masks[:2])
            z, r = self.recurrent_activation(x_gates + inner).chunk(2, dim=-1)
            inner = masked_matmul(r * h, self.recurrent_kernel[:, 2 * units :], masks[2:])
            candidate = self.activation(x_candidate + inner)
        h = z * h + (1 - z) * candidate
        return h, [h]


class RNN(nn.Module):
    """A cell run over the time axis of ``(batch, time, features)``."""

    def __init__(
        self,
        cell: nn.Module,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
    ) -> None:
        super().__init__()
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.zero_output_for_mask = zero_output_for_mask

    def forward(
        self,
        x: Tensor,
        initial_state: Tensor | Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """The last output, or all of them; then the states, if they were asked for.

        A masked step repeats the output before it (or gives 0) and keeps the states.
        """
        cell = self.cell
        training = self.training if training is None else training
        if initial_state is None:
            states = [x.new_zeros(x.shape[0], size) for size in cell.state_sizes]
        else:
            states = [initial_state] if isinstance(initial_state, Tensor) else list(initial_state)
        count = cell.mask_count
        input_masks = dropout_masks(x[:, :1], cell.dropout if training else 0, count)
        state_masks = dropout_masks(states[0], cell.recurrent_dropout if training else 0, count)
        projected = cell.project(x, input_masks)
        steps = range(x.shape[1])
        outputs: list[Tensor] = []
        filler = torch.zeros_like(states[0])
        for time in reversed(steps) if self.go_backwards else steps:
            output, new_states = cell.step(projected[:, time], states, state_masks)
            if mask is None:
                states = new_states
            else:
                present = mask[:, time, None]
                output = torch.where(present, output, filler)
                filler = filler if self.zero_output_for_mask else output
                pairs = zip(new_states, states, strict=True)
                states = [torch.where(present, new, old) for new, old in pairs]
            outputs.append(output)
        result = torch.stack(outputs, dim=1) if self.return_sequences else outputs[-1]
        return (result, *states) if self.return_state else result

    def compute_mask(self, x: Tensor, mask: Tensor | None) -> Tensor | None:
        """The mask goes on only where the time axis does."""
        return mask if self.return_sequences else None


class Bidirectional(nn.Module):
    """One recurrent layer forwards and one backwards, merged."""

    def __init__(
        self, forward_layer: nn.Module, backward_layer: nn.Module, merge_mode: str | None = "concat"
    ) -> None:
        super().__init__()
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self.merge_mode = merge_mode

    def forward(
        self,
        x: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        """The merged outputs, then the states of both layers, if they were asked for."""
        half = len(initial_state) // 2 if initial_state is not None else 0
        first = initial_state[:half] if initial_state is not None else None
        second = initial_state[half:] if initial_state is not None else None
        y = self.forward_layer(x, initial_state=first, mask=mask, training=training)
        z = self.backward_layer(x, initial_state=second, mask=mask, training=training)
        states: tuple[Tensor, ...] = ()
        if self.forward_layer.return_state:
            states = (*y[1:], *z[1:])
            y, z = y[0], z[0]
        if self.forward_layer.return_sequences:
            z = z.flip(1)
        if self.merge_mode is None:
            return (y, z, *states)
        if self.merge_mode == "concat":
            merged = torch.cat([y, z], dim=-1)
        elif self.merge_mode == "mul":
            merged = y * z
        else:
            merged = y + z if self.merge_mode == "sum" else (y + z) / 2
        return (merged, *states) if states else merged

    def compute_mask(self, x: Tensor, mask: Tensor | None) -> Tensor | None:
        """The mask goes on only where the time axis does."""
        return mask if self.forward_layer.return_sequences else None


class TimeDistributed(nn.Module):
    """A layer applied to every step of the time axis, one step after the other."""

    def __init__(self, layer: nn.Module, takes_training: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.takes_training = takes_training

    def forward(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Map ``(batch, time, ...)`` to ``(batch, time, ...)``."""
        mode = {"training": training} if self.takes_training else {}
        return torch.stack([self.layer(x[:, t], **mode) for t in range(x.shape[1])], dim=1)
