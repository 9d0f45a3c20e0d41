"""Numbers that are exact on every backend are not moved, and warnings are kept with what they come from."""

import warnings

import numpy as np

from backends_matrix.check.worker.heard_warnings import heard_warnings
from backends_matrix.check.worker.tensors import ones_of_unit, tied


def test_small_whole_numbers_are_moved_only_where_it_is_asked_for():
    numbers = np.array([0.0, 1.0, -3.0, 0.5, 1000.0, 1.0 + 1e-12])
    rng = np.random.default_rng(0)
    moved = ones_of_unit(numbers, rng, whole=False)
    # The last is 1 in float32 alone: it was rounded to it, so it moves.
    assert (moved == numbers.astype("float32")).tolist() == [True, True, True, False, False, False]
    assert (ones_of_unit(numbers, rng) != numbers.astype("float32")).tolist() == [False] + [
        True
    ] * 5


def test_inputs_that_are_equal_stay_equal():
    first, second = np.array([0.3, 0.7, 0.9]), np.array([0.3, 0.6, 0.9])
    rng = np.random.default_rng(1)
    one, other = tied([first, second], [ones_of_unit(each, rng) for each in (first, second)])
    assert (one == other).tolist() == [True, False, True]
    assert (one != first.astype("float32")).all()


def test_inputs_of_other_shapes_are_left_alone():
    arrays = [np.ones(2), np.ones(3)]
    moved = [each + 1 for each in arrays]
    assert all(np.array_equal(a, b) for a, b in zip(tied(arrays, moved), moved, strict=True))


def test_a_warning_is_kept_once_and_not_shown():
    found = {}
    with warnings.catch_warnings(record=True) as outside:
        warnings.simplefilter("always")
        with heard_warnings(found):
            for _ in range(2):
                warnings.warn("too wide", UserWarning, stacklevel=1)
    assert outside == []
    (heard,) = found["warnings"]
    assert (heard["type"], heard["message"]) == ("UserWarning", "too wide")
    quiet = {}
    with heard_warnings(quiet):
        pass
    assert quiet == {}
