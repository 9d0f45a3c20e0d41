"""From a Keras seed to random words: on the host at once, or as operations of the code being compiled."""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend import current
from portable_models._keras.randomness import SeedGenerator, global_seed_generator
from portable_models.random import host_arithmetic
from portable_models.random.threefry import MASK, signed, threefry, threefry_numpy

BACKEND: Final = current()
"""Asked once, so that no code that is being compiled has to ask."""

_CHUNK: Final = 1 << 15
"""Blocks computed together on the host: three arrays of 128 KiB, which stay in the cache."""
_always_tensors: ContextVar[bool] = ContextVar("_always_tensors", default=False)


@contextlib.contextmanager
def tensor_operations() -> Iterator[None]:
    """Draw through the backend's own operations, where NumPy would be quicker.

    What compiled training code draws can so be looked at without compiling it. Other threads draw as before.
    """
    token = _always_tensors.set(True)
    try:
        yield
    finally:
        _always_tensors.reset(token)


def arithmetic(array: Any) -> Any:
    """Who computes with ``array``: NumPy for its own arrays, ``keras.ops`` for tensors."""
    return host_arithmetic if isinstance(array, np.ndarray) else keras.ops


def dimensions(shape: Any) -> tuple[Any, ...]:
    """``shape`` as a tuple; a dimension is an integer, or a scalar tensor where it is not known yet."""
    return (shape,) if isinstance(shape, int) else tuple(shape)


def size(shape: Sequence[Any]) -> Any:
    """The number of elements of ``shape``."""
    return functools.reduce(operator.mul, shape, 1)


def key_of(seed: Any) -> Any:
    """The key that a Keras seed stands for; a seed generator moves on by one.

    Args:
        seed: an integer (its lowest 32 bits count, as in Keras), a ``SeedGenerator``, None for the global
            one, or a tensor of two integers as ``SeedGenerator.next()`` gives it.

    Returns:
        Two Python integers, 0 to ``2**32 - 1``, for an integer; else a tensor of shape ``(2,)``.

    Raises:
        ValueError: the seed is none of these; or it is None in code that JAX compiles, where Keras
            knows no global generator.
    """
    if isinstance(seed, int):
        return seed & MASK, 0
    if seed is None:
        # Keras's unordered step (a product modulo 933,199) overflows differently on each backend.
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if getattr(seed, "shape", None) is not None and tuple(seed.shape) == (2,):
        return keras.ops.convert_to_tensor(seed)
    raise ValueError(
        "a seed must be an integer, a keras.random.SeedGenerator, None, or two integers in a tensor; "
        f"got {seed!r} ({type(seed).__name__})"
    )


def random_words(key: Any, count: Any, lane: int = 0) -> Any:
    """Random 32-bit words, the same for the same key whatever the backend, eager and compiled.

    The first words of a longer draw are those of a shorter one.

    Args:
        key: as :func:`key_of` gives it.
        count: how many words, at most ``2**32``.
        lane: second word of the counter: separate sequences for one key.

    Returns:
        int32 of shape ``(count,)``: a NumPy array where NumPy may compute, else a tensor.

    Raises:
        ValueError: more words are asked for than one key has in a lane.
    """
    if isinstance(count, int) and count > 1 << 32:
        raise ValueError(f"one seed gives 2**32 words; {count} were asked for")
    tensors = () if isinstance(key, tuple) else (key,)
    if BACKEND.computes_on_host(*tensors) and not _always_tensors.get():
        return host_words(known_key(key), count, lane)
    if isinstance(key, tuple):
        key = keras.ops.convert_to_tensor([signed(word) for word in key], dtype="int32")
    return _opaque_words(key, count, lane)


def host_words(key: tuple[int, int], count: int, lane: int = 0) -> NDArray[np.int32]:
    """:func:`random_words` in NumPy."""
    blocks = (count + 1) // 2
    found = np.empty((blocks, 2), np.uint32)
    for start in range(0, blocks, _CHUNK):
        counter = np.arange(start, min(start + _CHUNK, blocks), dtype=np.uint32)
        lanes = np.full_like(counter, lane)
        found[start : start + len(counter), 0], found[start : start + len(counter), 1] = (
            threefry_numpy(key, (counter, lanes))
        )
    return found.reshape(-1)[:count].view(np.int32)


def known_key(key: Any) -> tuple[int, int]:
    """The two words of a key whose values are at hand, as Python integers."""
    first, second = key if isinstance(key, tuple) else keras.ops.convert_to_numpy(key).tolist()
    return first & MASK, second & MASK


def _tensor_words(key: Any, count: Any, lane: int) -> Any:
    ops = keras.ops
    # uint32, int64 or int32 in Keras's three backends: the conversion keeps the lowest 32 bits.
    key = ops.cast(key, "int32")
    counter = ops.arange(0, (count + 1) // 2, dtype="int32")
    pair = threefry(ops, (key[0], key[1]), (counter, ops.full_like(counter, lane)))
    return ops.reshape(ops.stack(pair, axis=-1), (-1,))[:count]


def _words_now(key: Any, count: int, lane: int) -> Any:
    if BACKEND.computes_on_host(key) and not _always_tensors.get():
        return keras.ops.convert_to_tensor(host_words(known_key(key), count, lane))
    return _tensor_words(key, count, lane)


_opaque_words = BACKEND.opaque(_words_now)
