"""Word sequences and their multi-hot vectors."""

import numpy as np
import pytest

from portable_models.data import WordSequences, bag_of_words, multi_hot

RNG = np.random.default_rng(9)
ROWS = [RNG.integers(0, 40, length).tolist() for length in (5, 0, 1, 80, 0, 33)]


def by_hand(rows, dimension):
    dense = np.zeros((len(rows), dimension), np.float32)
    for row, words in enumerate(rows):
        for word in words:
            dense[row, word] = 1.0
    return dense


@pytest.mark.parametrize("rows", [ROWS, ROWS[1:2], [], [[0], [39]], [(1, 1), np.array([2])]])
@pytest.mark.parametrize("wrapped", [False, True])
def test_multi_hot_marks_the_words_that_are_there(rows, wrapped):
    result = multi_hot(WordSequences.of(rows) if wrapped else rows, 40)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, by_hand(rows, 40))


def test_bags_hold_each_word_once_and_in_order():
    samples = bag_of_words([[3, 1, 3], [], [0]], [1, 0, 1], 4)
    assert samples.ids.tolist() == [1, 3, 0]
    assert samples.offsets.tolist() == [0, 2, 2, 3]
    assert samples.ids.dtype == np.int32
    assert samples.y.tolist() == [1, 0, 1]


@pytest.mark.parametrize("rows", [[[1, 4]], [[-1, 2]]])
def test_ids_outside_the_dimension_are_refused(rows):
    with pytest.raises(
        ValueError, match="word ids must lie from 0 to 3 for 4 dimensions; they lie"
    ):
        bag_of_words(rows, [0], 4)


def test_another_number_of_targets_is_refused():
    with pytest.raises(ValueError, match="2 sequences need as many targets, got 3"):
        bag_of_words([[1], [2]], [0, 1, 0], 4)


def test_sequences_read_like_lists():
    sequences = WordSequences.of(ROWS)
    assert [row.tolist() for row in sequences] == ROWS
    assert sequences[-1].tolist() == ROWS[-1]
    assert sequences.lengths.tolist() == [5, 0, 1, 80, 0, 33]
    with pytest.raises(IndexError):
        sequences[6]


@pytest.mark.parametrize("order", [[3, 1, 3], [0], []])
def test_sequences_are_taken_in_the_order_asked_for(order):
    taken = WordSequences.of(ROWS).take(np.array(order, np.int64))
    assert [row.tolist() for row in taken] == [ROWS[index] for index in order]
    assert taken.ids.dtype == np.int64


def test_ranks_become_the_ids_of_keras():
    ids = WordSequences.of([[1, 6, 7], [], [2]]).keras_ids(10)
    assert [row.tolist() for row in ids] == [[1, 4, 9, 2], [1], [1, 5]]
