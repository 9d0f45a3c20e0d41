"""``with portable_random(seed):`` Keras draws the same random numbers on every backend."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, TypeVar

import keras
import numpy as np

from portable_models._fork import refuse_after_fork
from portable_models._keras.operations import get_operations
from portable_models._keras.randomness import (
    BACKEND_RANDOM,
    SEED_GENERATOR,
    AugMix,
    DataLayer,
    get_generator_of_data_layer,
    own_global_generator,
)
from portable_models.random import distributions, rejection
from portable_models.random.orthogonal import orthogonal
from portable_models.random.replacement import Place, Replacement
from portable_models.random.threefry import MASK, threefry_numpy

REPLACED: Final[dict[str, Callable[..., Any]]] = {
    "beta": rejection.beta,
    "binomial": rejection.binomial,
    "categorical": distributions.categorical,
    "dropout": distributions.dropout,
    "gamma": rejection.gamma,
    "normal": distributions.normal,
    "randint": distributions.randint,
    "shuffle": distributions.shuffle,
    "truncated_normal": distributions.truncated_normal,
    "uniform": distributions.uniform,
}
"""Function of Keras's backend random module -> the portable one with the same arguments."""

Called = TypeVar("Called", bound=Callable[..., Any])

_SEED_LANE: Final = 0x5EED


class portable_random:  # noqa: N801 - read as a statement, like suppress
    """While it is entered, Keras draws from one generator that is the same on every backend.

    Models need no change: initializers, Dropout and its kin, GaussianNoise, recurrent dropout, random
    preprocessing and ``keras.random.*`` all come to the functions that are replaced here, with Keras's own
    seeds. Layers and initializers without a seed get one from ``seed`` and the order in which they are made,
    so entering twice with one seed builds one model twice, whatever was drawn before.
    :mod:`portable_models.random.distributions` says which functions are equal in every bit.

    Code that is traced inside keeps drawing portable numbers, code traced outside never does: build **and**
    fit inside. Entering inside another ``portable_random`` draws from the inner seed; on leaving, the outer
    one goes on where it was. Leaving, by an exception too, puts back what was there. It works as a decorator
    as well.

    Only the thread that enters draws portable numbers; several threads may enter, each with a seed of its
    own, and all others draw as Keras does. So a thread that is started inside draws as Keras does, unless it
    enters one itself.

    What stays outside: the order of samples (:mod:`portable_models.data.order`), Python's and NumPy's own
    generators, and what ``JaxLayer`` or ``TorchModuleWrapper`` draw within.

    Args:
        seed: 0 to ``2**64 - 1``.

    Raises:
        TypeError: ``seed`` is no integer.
        ValueError: ``seed`` is outside 0 to ``2**64 - 1``.
        NotImplementedError: raised inside, where equal numbers cannot be promised:
            ``keras.ops.image.elastic_transform``, the layer AugMix, random preprocessing layers that run in a
            tf.data pipeline of another backend, binomial draws of unknown counts.
        RuntimeError: the process was forked after Keras had computed, so that computing would hang.

    Example:
        >>> with portable_random(7):
        ...     keras.ops.convert_to_numpy(keras.random.uniform((2,), seed=1)).tolist()
        [0.0, 0.0]
    """

    def __init__(self, seed: int = 0) -> None:
        if not isinstance(seed, int | np.integer):
            raise TypeError(f"portable_random needs an integer seed; got {seed!r}")
        if not 0 <= seed < 2**64:
            raise ValueError(f"the seed of portable_random must be 0 to 2**64 - 1; got {seed}")
        self.seed = int(seed)
        self._entered = _Entered()

    def __enter__(self) -> portable_random:
        refuse_after_fork()
        with ExitStack() as stack:
            holder = object()
            # Before it is acquired, so that Ctrl-C between the two leaves nothing behind.
            stack.callback(_KERAS.release, holder)
            _KERAS.acquire(holder)
            stack.enter_context(_own_default_seeds(self.seed))
            # Draws without a seed start afresh inside, and go on outside where they were.
            stack.enter_context(own_global_generator("portable_random"))
            self._entered.stacks.append(stack.pop_all())
        return self

    def __exit__(self, *exception: object) -> None:
        self._entered.stacks.pop().close()

    def __call__(self, function: Called) -> Called:
        """Decorate a function: each call enters anew."""

        @functools.wraps(function)
        def inside(*args: Any, **settings: Any) -> Any:
            with portable_random(self.seed):
                return function(*args, **settings)

        return inside  # type: ignore[return-value]  # the function's own signature


class _Entered(threading.local):
    """What the calling thread has to leave: one instance may be entered by several threads."""

    def __init__(self) -> None:
        self.stacks: list[ExitStack] = []


class _DefaultSeeds(threading.local):
    """The seeds of layers without a seed, in the thread that has entered."""

    current: Iterator[int] | None = None


_default_seeds = _DefaultSeeds()


def default_seeds(seed: int) -> Iterator[int]:
    """The seeds that unseeded layers and initializers get, one after the other: 31 bits each."""
    key = (seed & MASK, seed >> 32)
    lane = np.full(1, _SEED_LANE, np.uint32)
    for index in itertools.count():
        first, _ = threefry_numpy(key, (np.full(1, index, np.uint32), lane))
        # Keras keeps seeds in an int32 under PyTorch.
        yield int(first[0]) >> 1


def _next_default_seed() -> int:
    assert _default_seeds.current is not None
    return next(_default_seeds.current)


@contextlib.contextmanager
def _own_default_seeds(seed: int) -> Iterator[None]:
    before = _default_seeds.current
    _default_seeds.current = default_seeds(seed)
    try:
        yield
    finally:
        _default_seeds.current = before


def _orthogonal_call(initializer: Any, shape: Any, dtype: Any = None) -> Any:
    return orthogonal(initializer, shape, dtype)


def _refuse_elastic_transform(*_: Any, **__: Any) -> Any:
    raise NotImplementedError(
        "elastic_transform draws inside each backend's image module, so its numbers differ between backends; "
        "call it outside portable_random, or leave it out of what is compared"
    )


def _generator_of_this_backend(layer: Any, backend: str | None = None) -> Any:
    found = get_generator_of_data_layer(layer, backend)
    if found is not layer.generator:
        raise NotImplementedError(
            f"layer {layer.name!r} runs in a {backend} pipeline, outside the backend that Keras runs on, "
            "where its draws are not portable; put it into the model, or call it outside portable_random"
        )
    return found


def _refuse_aug_mix(layer: Any, data: Any, training: bool = True, seed: Any = None) -> Any:
    if not training:
        return None
    raise NotImplementedError(
        f"layer {layer.name!r} (AugMix) chooses its operations with Python's own generator: for every batch "
        "on PyTorch, and once, while it is compiled, on JAX and TensorFlow. Its images cannot be equal; "
        "augment the data before training, outside portable_random, or put the layers that AugMix combines "
        "(RandomRotation, RandomShear, ...) into the model"
    )


_KERAS: Final = Replacement(
    [
        *(Place(BACKEND_RANDOM, name, function) for name, function in REPLACED.items()),
        # Bound by name in the backend's module, which initializers ask, and where SeedGenerator looks it up.
        Place(BACKEND_RANDOM, "make_default_seed", _next_default_seed),
        Place(SEED_GENERATOR, "make_default_seed", _next_default_seed),
        Place(keras.initializers.Orthogonal, "__call__", _orthogonal_call),
        Place(get_operations("image"), "elastic_transform", _refuse_elastic_transform),
        Place(DataLayer, "_get_seed_generator", _generator_of_this_backend),
        Place(AugMix, "get_random_transformation", _refuse_aug_mix),
    ]
)
