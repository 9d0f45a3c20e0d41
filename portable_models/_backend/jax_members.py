"""Members on JAX: each by itself, in as many threads as there are cores, or all under one ``vmap``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from portable_models._backend.program import State


def split(members: int) -> list[list[int]]:
    """Divide the members into groups that ``vmap`` trains together: on a CPU, each member is one by itself.

    A loop runs on one core there. Its operations cost next to nothing to begin, so mapping saves nothing, and
    the states of many members do not stay in the cache. On two cores, a step of Boston (batch 1) took
    4.5 microseconds alone; two groups under ``vmap`` took 3.6 (of 2) to 6.1 (of 32) a step and member.
    """
    if jax.default_backend() == "cpu":
        return [[member] for member in range(members)]
    return [list(range(members))]


def at_once(calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]], threads: int) -> list[Any]:
    """What compiled functions give for their arguments, so many at a time.

    From one thread, JAX would run them one after the other.
    """
    if len(calls) == 1 or threads == 1:
        return [function(*given) for function, given in calls]

    def done(function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        return jax.block_until_ready(function(*given))

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(done, *zip(*calls, strict=True)))


def kind(arguments: Any) -> tuple[Any, ...]:
    """What arguments must have in common to go through one compiled program."""
    leaves, structure = jax.tree.flatten(arguments)
    return structure, *(
        (np.shape(leaf), getattr(leaf, "dtype", type(leaf)), getattr(leaf, "sharding", None))
        for leaf in leaves
    )


def same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether two sequences hold the very same objects."""
    return len(some) == len(others) and all(map(operator.is_, some, others))


def stack(values: Sequence[Any]) -> Any:
    """One tensor of what the members have.

    Within the program, stacking and taking apart would be most of what XLA has to compile.
    """
    return jax.numpy.stack(values)


def apart(stacked: Sequence[Any], members: int) -> list[State]:
    """What each member has, of tensors of all of them."""
    return [[values[member] for values in stacked] for member in range(members)]
