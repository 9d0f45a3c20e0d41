"""The generator: published vectors, a reference in Python's integers, and the words made of it."""

import keras
import numpy as np
import pytest

from portable_models.random import threefry, threefry_numpy
from portable_models.random.threefry import multiply_high, shift_right, signed
from portable_models.random.words import host_words, key_of, random_words

ONES = 0xFFFFFFFF
KNOWN_ANSWERS = [
    # Random123, kat_vectors: "threefry2x32 20", counter, key, result.
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


def reference(counter, key):
    """Threefry-2x32-20 as the paper states it, on Python's integers."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    x, y = (counter[0] + keys[0]) & ONES, (counter[1] + keys[1]) & ONES
    for turn in range(20):
        distance = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        x = (x + y) & ONES
        y = ((y << distance | y >> (32 - distance)) & ONES) ^ x
        if turn % 4 == 3:
            s = turn // 4 + 1
            x, y = (x + keys[s % 3]) & ONES, (y + keys[(s + 1) % 3] + s) & ONES
    return x, y


def unsigned(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor)).astype(np.int64) & ONES


def int32(values):
    return keras.ops.convert_to_tensor([signed(value) for value in values], dtype="int32")


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_numpy_gives_the_published_answers(counter, key, expected):
    found = threefry_numpy(key, tuple(np.array([word], np.uint32) for word in counter))
    assert tuple(int(word[0]) for word in found) == expected


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_tensors_give_the_published_answers(way, counter, key, expected):
    def block(key, counter):
        return threefry(keras.ops, (key[0], key[1]), (counter[:1], counter[1:]))

    found = way(block)(int32(key), int32(counter))
    assert tuple(int(unsigned(word)[0]) for word in found) == expected


def test_numpy_agrees_with_the_reference_on_random_blocks():
    rng = np.random.default_rng(0)
    counters = rng.integers(0, 2**32, (2, 200), dtype=np.uint32)
    for key in rng.integers(0, 2**32, (5, 2)).tolist():
        expected = [reference(pair, key) for pair in counters.T.tolist()]
        found = threefry_numpy(tuple(key), tuple(counters))
        np.testing.assert_array_equal(np.stack(found, axis=1), np.array(expected, np.uint32))


def test_numpy_leaves_the_counters_as_they_were():
    counter = (np.arange(5, dtype=np.uint32), np.zeros(5, np.uint32))
    threefry_numpy((1, 2), counter)
    np.testing.assert_array_equal(counter[0], np.arange(5))


@pytest.mark.parametrize("key", [(-1, 0), (0, 2**32)])
def test_a_key_beyond_32_bits_is_refused(key):
    zero = np.zeros(1, np.uint32)
    with pytest.raises(ValueError, match=r"a key is two words of 0 to 2\*\*32 - 1; got"):
        threefry_numpy(key, (zero, zero))


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
@pytest.mark.parametrize("lane", [0, 3])
def test_words_are_those_of_numpy(way, seed, count, lane):
    found = way(lambda key: keras.ops.add(random_words(key, count, lane), 0))(seed)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(found), host_words((5, 0), count, lane)
    )


def test_a_longer_draw_begins_with_the_shorter_one():
    # 65,536 words are one chunk of the computation on the host.
    np.testing.assert_array_equal(host_words((1, 2), 65_540)[:1001], host_words((1, 2), 1001))
    counters = np.array([32_768], np.uint32), np.zeros(1, np.uint32)
    first, second = threefry_numpy((1, 2), counters)
    assert host_words((1, 2), 65_540)[65_536:65_538].view(np.uint32).tolist() == [first, second]


def test_lanes_are_different_sequences():
    assert not np.intersect1d(host_words((1, 2), 100), host_words((1, 2), 100, lane=1)).size


def test_more_words_than_counters_are_refused():
    with pytest.raises(ValueError, match=r"one seed gives 2\*\*32 words; 4294967298 were asked"):
        random_words((0, 0), 2**32 + 2)


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0x80000000, ONES, 0xDEADBEEF])
@pytest.mark.parametrize("distance", [1, 16, 31])
def test_a_logical_shift_copies_no_sign(way, value, distance):
    found = way(lambda words: shift_right(keras.ops, words, distance))(int32([value]))
    assert unsigned(found).tolist() == [value >> distance]


@pytest.mark.parametrize("factor", [1, 7, 65_536, 1_000_003, 2**31, ONES, 2**32])
def test_the_high_word_of_a_product_is_exact(way, factor):
    words = [0, 1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF, ONES]
    found = way(lambda words: multiply_high(keras.ops, words, factor))(int32(words))
    assert unsigned(found).tolist() == [word * factor >> 32 for word in words]


@pytest.mark.parametrize("seed", [0, 5, 2**31, 2**32 - 1, -1])
def test_an_integer_seed_and_its_generator_start_with_one_key(seed):
    assert key_of(seed) == (seed & ONES, 0)


def test_a_seed_generator_moves_on_by_one():
    generator = keras.random.SeedGenerator(9)
    keys = [keras.ops.convert_to_numpy(key_of(generator)).tolist() for _ in range(3)]
    assert keys == [[9, 0], [9, 1], [9, 2]]


@pytest.mark.parametrize("wrong", ["7", 1.5, np.zeros(3)])
def test_what_is_no_seed_is_refused(wrong):
    with pytest.raises(
        ValueError, match=r"a seed must be an integer, a keras\.random\.SeedGenerator"
    ):
        key_of(wrong)
