"""PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import torch
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensor

from portable_models._backend.base import Backend
from portable_models._backend.program import Pass, Program
from portable_models._backend.step_result import StepResult
from portable_models._backend.torch_devices import (
    TorchDevices,
    computing_device,
    generator_states,
    set_generator_states,
)
from portable_models._backend.torch_program import WORTH_FROM, TorchProgram
from portable_models._keras.calls import call_in_training


class RowsSummed(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    """``Backend.rows_summed`` with the fastest operations of each direction: a bag sums rows where they lie.

    PyTorch's own derivative of ``embedding_bag``, and ``scatter_add``, go row by row, several times slower
    than to sort the rows first.
    """

    @staticmethod
    def forward(context: Any, kernel: Any, ids: Any, owners: Any, count: int) -> Any:
        """The sums."""
        context.save_for_backward(ids, owners)
        context.rows = kernel.shape[0]
        padded = torch.cat([kernel, kernel.new_zeros((1, kernel.shape[1]))])
        sums = torch.arange(count, dtype=owners.dtype, device=owners.device)
        first = torch.searchsorted(owners, sums) * ids.shape[1]
        return _bags(ids.reshape(-1), padded, first)

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        """Each row of the kernel gets the cotangents of the sums that it is in."""
        ids, owners = context.saved_tensors
        flat, count = ids.reshape(-1), context.rows + 1
        # Half the width is half the time to sort; the last row, which stands for none, must fit too.
        short = count <= torch.iinfo(torch.int16).max
        places = torch.sort(flat.to(torch.int16) if short else flat, stable=True)[1]
        # How often each row comes says where it begins: to count is faster than to search.
        counts = flat.new_zeros((count,)).scatter_add_(0, flat.long(), torch.ones_like(flat))
        first = torch.cumsum(counts, 0) - counts
        takers = owners.repeat_interleave(ids.shape[1]).index_select(0, places)
        gradient = _bags(takers, cotangent, first)[:-1]
        return gradient, None, None, None


def _bags(rows: Any, matrix: Any, first: Any) -> Any:
    """Sums of a matrix's rows, each from its first place to that of the next one."""
    return torch.nn.functional.embedding_bag(
        rows, matrix.contiguous(), first.to(rows.dtype), mode="sum"
    )


class TorchBackend(TorchDevices, Backend):
    """PyTorch, eager."""

    name = "torch"
    # torch.compiler.is_compiling() is true in every thread while one compiles.
    computes_in_threads = False

    def versions(self) -> Mapping[str, str]:
        return {"torch": torch.__version__}

    def bound_threads(self, count: int) -> None:
        torch.set_num_threads(count)

    def is_traced(self, tensor: Any) -> bool:
        return bool(
            tensor.device.type == "meta"
            or isinstance(tensor, FakeTensor)
            or torch.compiler.is_compiling()
        )

    def computes_on_host(self, *tensors: Any) -> bool:
        if not self.has_values(*tensors) or not self.computes_on_cpu():
            return False
        # A subclass (sharded, for instance) holds no plain values.
        plain = (torch.Tensor, torch.nn.Parameter)
        return all(type(each) in plain and each.device.type == "cpu" for each in tensors)

    def has_values(self, *tensors: Any) -> bool:
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return False
        return not any(
            isinstance(each, FakeTensor)
            or each.device.type == "meta"
            or torch._C._functorch.is_functorch_wrapped_tensor(each)
            for each in tensors
        )

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # Compiling takes torch many seconds, so its operations are called one by one.
        return function

    def called_often(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return torch.no_grad()(function)  # type: ignore[no-any-return]  # torch is not followed

    def opaque(self, function: Callable[[Any, Any, int], Any]) -> Callable[[Any, Any, int], Any]:
        def run(key: torch.Tensor, count: int, lane: int) -> torch.Tensor:
            return function(key, count, lane)

        operation = torch.library.custom_op("portable_models::words", mutates_args=())(run)

        @operation.register_fake  # type: ignore[untyped-decorator]  # torch is not followed
        def shape(key: torch.Tensor, count: int, lane: int) -> torch.Tensor:
            return key.new_empty((count,), dtype=torch.int32)

        @operation.register_vmap  # type: ignore[untyped-decorator]  # torch is not followed
        def mapped(info: Any, dims: Any, key: Any, count: int, lane: int) -> tuple[Any, int]:
            keys = key.movedim(dims[0], 0).unbind()
            return torch.stack([operation(each, count, lane) for each in keys]), 0

        def call(key: Any, count: Any, lane: int) -> Any:
            steps = operation if torch.compiler.is_compiling() else function
            return steps(key, count, lane)

        return call

    def constant(self, array: NDArray[Any]) -> Any:
        # Keras's own conversion asks a NumPy array for its dtype, which dynamo cannot trace.
        return torch.as_tensor(array, device=computing_device())

    def unseeded_state(self) -> bytes | None:
        # keras.src.backend.torch.random.dropout calls torch's own where the layer has no seed.
        return generator_states()

    def restore_unseeded_state(self, state: bytes) -> None:
        set_generator_states(state)

    def gradients(self, model: Any, x: Any, y: Any, weight: Any) -> StepResult:
        weights = [variable.value for variable in model.trainable_variables]
        with torch.enable_grad():
            outputs = call_in_training(model, x)
            loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weight, training=True)
            found = torch.autograd.grad(loss, weights, allow_unused=True)
        arrays = [
            # Keras knows how to make NumPy arrays of bfloat16, PyTorch does not.
            keras.ops.convert_to_numpy(torch.zeros_like(weight) if gradient is None else gradient)
            for weight, gradient in zip(weights, found, strict=True)
        ]
        detached = keras.tree.map_structure(lambda output: output.detach(), outputs)
        return StepResult(detached, float(loss.detach()), arrays)

    def rows_summed(self, kernel: Any, words: Any, count: int) -> Any:
        return RowsSummed.apply(kernel, *words, count)

    runs_python_at_every_step = True

    def refuses_model(self, model: Any) -> str:
        if model.jit_compile:
            return "jit_compile=True: Keras compiles the step with torch.compile"
        return ""

    def not_worth_compiling(self, model: Any, steps: int) -> str:
        del model
        if steps >= WORTH_FROM or not self.computes_on_cpu():
            return ""
        return (
            f"{steps} steps are so few that Model.fit is done before a program is traced "
            f"(from {WORTH_FROM} on it pays)"
        )

    @contextmanager
    def logs_kept(self, model: Any) -> Iterator[None]:
        # The result of a metric that only sums is the variable itself, which validation resets in place
        # (keras 3.15.1, src/backend/torch/trainer.py: logs are made numbers after validation only).
        result = model.get_metrics_result

        def own_result() -> dict[str, Any]:
            return {name: _own(value) for name, value in result().items()}

        model.get_metrics_result = own_result
        try:
            yield
        finally:
            del model.get_metrics_result

    def to_device(self, arrays: Any) -> Any:
        return keras.tree.map_structure(keras.ops.convert_to_tensor, arrays)

    def program(
        self, model: Any, training: Pass, validation: Pass | None, *, epochs: int
    ) -> Program:
        return TorchProgram(model, training, validation, epochs)

    def weight_gradients(
        self, call: Any, inputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[NDArray[Any]]:
        weights = [variable.value for variable in call.model.trainable_variables]
        if not weights:
            return []
        with torch.enable_grad():
            outputs = call([keras.ops.convert_to_tensor(value) for value in inputs])
            total = sum(
                (output * keras.ops.convert_to_tensor(cotangent)).sum()
                for output, cotangent in zip(outputs, cotangents, strict=True)
            )
            found = torch.autograd.grad(total, weights, allow_unused=True)
        return [
            (torch.zeros_like(weight) if gradient is None else gradient).detach().cpu().numpy()
            for weight, gradient in zip(weights, found, strict=True)
        ]

    def upstream(self, run: Callable[[], tuple[Any, Sequence[Any]]]) -> list[Any]:
        with torch.enable_grad():
            loss, tensors = run()
            known = [tensor for tensor in tensors if tensor.requires_grad]
            found = iter(torch.autograd.grad(loss, known, allow_unused=True) if known else ())
        return [next(found) if tensor.requires_grad else None for tensor in tensors]

    def pulled_back(
        self,
        function: Callable[[list[Any]], list[Any]],
        tensors: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        with torch.enable_grad():
            leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
            # An operation that changes its input in place would be refused on a leaf.
            outputs = function([leaf * 1 for leaf in leaves])
            pairs = zip(outputs, cotangents, strict=True)
            used = [(out, cotangent) for out, cotangent in pairs if out.requires_grad]
            sources = [*leaves, *(variable.value for variable in variables)]
            if not used:
                return [None] * len(leaves), [None] * len(variables)
            found = list(
                torch.autograd.grad(
                    [out for out, _ in used],
                    sources,
                    grad_outputs=[cotangent for _, cotangent in used],
                    allow_unused=True,
                )
            )
        return found[: len(leaves)], found[len(leaves) :]


def _own(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, torch.Tensor) else value


BACKEND = TorchBackend()
