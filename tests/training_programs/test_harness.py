"""The harness finds what is wrong, and nothing where nothing is; on this process's backend."""

import numpy as np
import pytest
import reference
from compare import differences, judge, report, tolerance_of
from observing import TestWatcher
from planting import PLANTED
from programs import programs, programs_of_this_backend

PROGRAMS = programs_of_this_backend()


# One in eight; ``compare.py --engine model.fit`` runs all.
@pytest.mark.parametrize("name", list(PROGRAMS)[::8])
def test_model_fit_agrees_with_itself(name):
    runs = [reference.run(PROGRAMS[name], reference.model_fit, TestWatcher) for _ in range(2)]
    found = judge(*runs)
    assert found, "nothing was compared"
    assert not report(found)
    # The same operations in the same order: not even rounding differs.
    assert max(each.size for each in found) <= EXACT


EXACT = 0.0


@pytest.mark.parametrize("name", PLANTED)
def test_planted_difference_is_found(name):
    title, wrong = PLANTED[name]
    program = PROGRAMS[title]
    expected = reference.run(program, reference.model_fit)
    assert report(judge(expected, reference.run(program, wrong), program.sensitivity))


SHUFFLED = [name for name, each in PROGRAMS.items() if reference.can_be_permuted(each)]


@pytest.mark.parametrize("name", SHUFFLED[::6])
def test_reference_of_single_epochs_is_one_fit_where_nothing_is_permuted(name, monkeypatch):
    monkeypatch.setattr(reference, "epoch_order", lambda count, **_: np.arange(count))
    program = PROGRAMS[name]
    one = reference.run(program, reference.model_fit)
    assert not report(judge(one, reference.run(program, reference.shuffled_model_fit)))


def test_reference_of_single_epochs_permutes(monkeypatch):
    program = PROGRAMS["feeding/float16_and_flat_targets"]
    one = reference.run(program, reference.model_fit)
    assert report(judge(one, reference.run(program, reference.shuffled_model_fit)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1.0}, {"a": 1.0001}),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}),
        ([1.0], [1.0, 2.0]),
        (np.ones(3), np.ones(4)),
        (float("nan"), 1.0),
        (float("inf"), float("nan")),
        (3, 4),
        (True, False),
        (np.array([1, 2]), np.array([1, 3])),
        ("on_test_begin", "on_test_end"),
        (None, 0.0),
        ({}, {"a": 1}),
    ],
)
def test_difference_of_any_kind_counts(one, other):
    assert any(each.counts for each in differences(one, other, tolerance_of(10)))


@pytest.mark.parametrize(
    "value", [float("nan"), np.array([1.0, np.inf]), {"a": [1, "x", None]}, []]
)
def test_value_agrees_with_itself(value):
    assert not any(each.counts for each in differences(value, value, tolerance_of(10)))


def test_corpus_is_large_and_covers_every_backend():
    assert len(programs()) >= 60
    for backend in ("jax", "tensorflow", "torch"):
        assert sum(backend in each.backends for each in programs().values()) >= 60
