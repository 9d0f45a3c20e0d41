"""All steps of an epoch as one loop that Inductor compiles to C++, on PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch._higher_order_ops.while_loop import while_loop_op
from torch.fx.experimental.proxy_tensor import make_fx

from portable_models._backend.program import State

Result = TypeVar("Result")


class Step(Protocol):
    """A step that makes a new state and changes nothing in place."""

    constants: list[Any]

    def __call__(
        self, state: State, extras: Sequence[Any], constants: Sequence[Any] | None = None
    ) -> State:
        """The state after the step."""


def on_one_thread(run: Callable[..., Result], *given: Any) -> Result:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return run(*given)
    finally:
        torch.set_num_threads(before)


def compiled_loop(
    graph: Step, state: State, leaves: Any, batches: Any, threads: int | None
) -> Callable[..., State]:
    """All steps as one loop in C++, for so many threads."""
    steps, count = int(batches.shape[0]), len(state)

    def loop(*flat: Any) -> tuple[Any, ...]:
        def further(number: Any, *carried: Any) -> Any:
            del carried
            return number < steps

        def body(number: Any, *carried: Any) -> tuple[Any, ...]:
            state, more = carried[:count], carried[count:]
            *tensors, batches = more[: len(leaves) + 1]
            indices = torch.index_select(batches, 0, number.reshape(1))[0]
            return (
                number + 1,
                *graph(list(state), [*tensors, indices], more[len(leaves) + 1 :]),
            )

        start = torch.zeros((), dtype=torch.int64)
        return tuple(while_loop_op(further, body, (start, *flat[:count]), flat[count:])[1:])

    flat = [*state, *leaves, batches, *graph.constants]
    traced = make_fx(loop, tracing_mode="fake", _allow_non_fake_inputs=True)(*flat)
    with warnings.catch_warnings():
        # Inductor's own modules use torch.jit, which torch 2.13 deprecates. Can go when they no longer do.
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        from torch import _inductor

        options = {"cpp_wrapper": True} | ({} if threads is None else {"cpp.threads": threads})
        run = _inductor.compile(traced, flat, options=options)

    def call(state: State, leaves: Any, batches: Any) -> State:
        return list(run(*state, *leaves, batches, *graph.constants))

    return call
