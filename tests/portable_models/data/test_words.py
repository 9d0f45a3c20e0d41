"""Ids back to words, and the word index that says which."""

import numpy as np
import pytest

from portable_models.data import DataError, decode_review, load_word_index


def test_ids_are_ranks_moved_up_by_three_and_unknown_ones_are_marked():
    assert decode_review(np.array([1, 4, 6, 2, 0, 99]), {"the": 1, "film": 3}) == "? the film ? ? ?"


def test_a_word_index_is_read(tmp_path):
    path = tmp_path / "index.json"
    path.write_text('{"the": 1, "caf\\u00e9": 2, "n\u00e9": 3}', encoding="utf-8")
    assert load_word_index(path) == {"the": 1, "café": 2, "né": 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"the": 1', "is not a whole JSON file"),
        (b"\xff\xfe", "is not a whole JSON file"),
        (b"[" * 100_000, "is not a whole JSON file"),
        (b'["the"]', "must hold one JSON object that maps each word to its rank"),
        (b'{"the": "1"}', "must hold one JSON object"),
        (b'{"the": 0}', "its rank, from 1 on"),
        (b'{"the": true}', "must hold one JSON object"),
    ],
)
def test_a_word_index_of_another_form_is_refused(tmp_path, content, message):
    path = tmp_path / "index.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as failure:
        load_word_index(path)
    assert "\n" not in str(failure.value)


def test_a_missing_word_index_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.json cannot be read: No such file"):
        load_word_index(tmp_path / "none.json")
