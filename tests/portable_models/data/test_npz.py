"""Arrays are written whole or not at all."""

import numpy as np
import pytest

from portable_models.data.npz import write_npz


class InterruptedWriteError(Exception):
    """What ends a write halfway."""


class Interrupting:
    """An array that cannot be written to its end."""

    def __array__(self, dtype=None, copy=None):
        raise InterruptedWriteError


def test_what_was_there_stays_where_writing_fails(tmp_path):
    path = tmp_path / "new" / "arrays.npz"
    write_npz(path, {"a": np.arange(3)})
    with pytest.raises(InterruptedWriteError):
        write_npz(path, {"a": np.zeros(2), "b": Interrupting()})
    assert [each.name for each in path.parent.iterdir()] == ["arrays.npz"]
    with np.load(path) as held:
        assert held["a"].tolist() == [0, 1, 2]


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "arrays.npz"
    write_npz(path, {"a": np.arange(3)})
    write_npz(path, {"b": np.arange(2)})
    with np.load(path) as held:
        assert held.files == ["b"]
