"""Word ids back to words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from portable_models.data.sources import DataError

_INDEX_FROM = 3


def decode_review(ids: Iterable[int], word_index: Mapping[str, int]) -> str:
    """A review as words with a space between them.

    Args:
        ids: word ids as ``keras.datasets.imdb`` gives them: rank + 3; 1 starts a review and 2 stands for
            an unknown word.
        word_index: rank of each word, 1 for the most frequent.

    Returns:
        The words; "?" for an id that stands for no word.

    Example:
        >>> decode_review([1, 4, 5, 2], {"a": 1, "film": 2})
        '? a film ?'
    """
    words = {rank: word for word, rank in word_index.items()}
    return " ".join(words.get(int(number) - _INDEX_FROM, "?") for number in ids)


def load_word_index(path: Path) -> dict[str, int]:
    """Read a word index: a JSON object that maps each word to its rank.

    Raises:
        DataError: the file cannot be read, is no JSON, or maps something else than words to ranks.
    """
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a whole JSON file ({error}); get the file again") from error
    if not isinstance(index, dict) or not all(
        type(rank) is int and rank > 0 for rank in index.values()
    ):
        raise DataError(
            f"{path} must hold one JSON object that maps each word to its rank, from 1 on"
        )
    return index
