"""Threefry-2x32-20: random words from a key and a counter, in integers, the same everywhere.

Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11,
https://doi.org/10.1145/2063384.2063405, and its reference implementation Random123. A block function takes
a key of two 32-bit words and a counter of two, and gives two words; nothing else is remembered, so any
block can be computed by itself.

There are two implementations, held equal by tests: one on tensors, one in place on NumPy arrays, which
stays in the processor's cache and is the fast way where no code is being compiled. On tensors a word is an
*int32* that holds the 32 bits in two's complement: that is the one 32-bit integer that all backends add
with wrapping, shift, compare and convert alike (there is no uint32 arithmetic under PyTorch, and no 64-bit
integer under JAX).
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint32]

MASK: Final = 0xFFFFFFFF
ROUNDS: Final = 20
ROTATIONS: Final = (13, 15, 26, 6, 17, 29, 16, 24)
"""Rotation distances of Threefry-2x32, Table 4 of the paper, used in turn."""
PARITY: Final = 0x1BD11BDA
"""Key-schedule constant of the 32-bit Threefry (Random123, ``SKEIN_KS_PARITY32``)."""
_INJECT_EVERY: Final = 4


def signed(word: int) -> int:
    """The int32 that has the bits of the 32-bit word ``word``."""
    return ((word & MASK) ^ 0x80000000) - 0x80000000


def shift_right(xp: Any, words: Any, distance: int) -> Any:
    """Logical right shift of int32 words by 1 to 31 bits, without copies of the sign bit.

    Args:
        xp: ``keras.ops``, or anything with its names.
        words: int32 array.
        distance: number of bits.
    """
    return xp.bitwise_and(xp.right_shift(words, distance), MASK >> distance)


def multiply_high(xp: Any, words: Any, factor: int) -> Any:
    """Upper 32 bits of the unsigned product ``words * factor``, exactly.

    Maps words evenly onto the integers 0 to ``factor - 1``.

    Args:
        xp: ``keras.ops``, or anything with its names.
        words: int32 array of words.
        factor: 1 to ``2**32``.

    Returns:
        int32 array of words.
    """
    if factor > MASK:
        return words
    low, high = factor & 0xFFFF, factor >> 16
    words_low, words_high = xp.bitwise_and(words, 0xFFFF), shift_right(xp, words, 16)
    # Schoolbook multiplication with 16-bit digits: no partial sum needs more than 32 bits.
    carry = shift_right(xp, xp.multiply(words_low, low), 16)
    first = xp.add(xp.multiply(words_high, low), carry)
    second = xp.add(xp.multiply(words_low, high), xp.bitwise_and(first, 0xFFFF))
    upper = xp.add(shift_right(xp, first, 16), shift_right(xp, second, 16))
    return xp.add(xp.multiply(words_high, high), upper)


def threefry(xp: Any, key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """One block of Threefry-2x32-20 for each counter, on tensors.

    Args:
        xp: ``keras.ops``, or anything with its names.
        key: two int32 words, each a Python integer or a tensor.
        counter: two arrays of int32 words, of one shape.

    Returns:
        Two arrays of int32 words of the counters' shape.
    """
    keys = (*key, xp.bitwise_xor(xp.bitwise_xor(key[0], key[1]), PARITY))
    x0, x1 = xp.add(counter[0], keys[0]), xp.add(counter[1], keys[1])
    for step in range(ROUNDS):
        distance = ROTATIONS[step % len(ROTATIONS)]
        x0 = xp.add(x0, x1)
        rotated = xp.bitwise_or(xp.left_shift(x1, distance), shift_right(xp, x1, 32 - distance))
        x1 = xp.bitwise_xor(rotated, x0)
        if step % _INJECT_EVERY == _INJECT_EVERY - 1:
            injection = step // _INJECT_EVERY + 1
            x0 = xp.add(x0, keys[injection % 3])
            x1 = xp.add(x1, xp.add(keys[(injection + 1) % 3], injection))
    return x0, x1


def threefry_numpy(key: tuple[int, int], counter: tuple[Words, Words]) -> tuple[Words, Words]:
    """One block of Threefry-2x32-20 for each counter, in NumPy.

    Args:
        key: two words, 0 to ``2**32 - 1``.
        counter: two uint32 arrays of one shape.

    Returns:
        Two uint32 arrays of the counters' shape.

    Raises:
        ValueError: a word of the key is outside 0 to ``2**32 - 1``.

    Example:
        >>> zero = np.zeros(1, np.uint32)
        >>> [f"{int(word[0]):08x}" for word in threefry_numpy((0, 0), (zero, zero))]
        ['6b200159', '99ba4efe']
    """
    if not all(0 <= word <= MASK for word in key):
        raise ValueError(f"a key is two words of 0 to 2**32 - 1; got {key}")
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    x0, x1 = (np.array(words, np.uint32, ndmin=1) for words in counter)
    spare = np.empty_like(x1)
    x0 += np.uint32(keys[0])
    x1 += np.uint32(keys[1])
    for step in range(ROUNDS):
        distance = ROTATIONS[step % len(ROTATIONS)]
        x0 += x1
        np.left_shift(x1, distance, out=spare)
        np.right_shift(x1, 32 - distance, out=x1)
        x1 |= spare
        x1 ^= x0
        if step % _INJECT_EVERY == _INJECT_EVERY - 1:
            injection = step // _INJECT_EVERY + 1
            x0 += np.uint32(keys[injection % 3])
            x1 += np.uint32((keys[(injection + 1) % 3] + injection) & MASK)
    return x0, x1
