"""Divide the trainings of a program into groups, which JAX trains with ``vmap``, each in a thread."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from portable_models._backend.program import State


def split(members: int, threads: int) -> list[list[int]]:
    """Divide the members into groups that ``vmap`` trains together: on a CPU, one group for each thread.

    All groups have one size, since they go through one program; the last member fills up the last group.
    """
    width = -(-members // threads) if jax.default_backend() == "cpu" else members
    return [
        [min(first + number, members - 1) for number in range(width)]
        for first in range(0, members, width)
    ]


def at_once(calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Any]:
    """What compiled functions give for their arguments, each in a thread of its own.

    From one thread, JAX would run them one after the other.
    """
    if len(calls) == 1:
        return [function(*given) for function, given in calls]

    def done(function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        return jax.block_until_ready(function(*given))

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(done, *zip(*calls, strict=True)))


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

    NumPy reads what is in the host's memory without a copy and compiles nothing. Within the program,
    stacking and taking apart would be most of what XLA has to compile.
    """
    if jax.default_backend() == "cpu":
        return jax.device_put(np.stack(values))
    return jax.numpy.stack(values)


def apart(stacked: Sequence[Any], members: int) -> list[State]:
    """What each member has, of tensors of all of them."""
    if jax.default_backend() == "cpu":
        held = [np.asarray(values) for values in stacked]
        return [jax.device_put([values[member] for values in held]) for member in range(members)]
    return [[values[member] for values in stacked] for member in range(members)]
