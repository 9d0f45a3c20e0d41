"""Which trainings are pairs, and what is said of those that are not."""

import pytest

from backends_matrix.certify.pairs import SeedResult, UnknownMetricError, pair_seeds, read_seed
from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult, Status, checked_numbers

CELL = Cell(experiment="boston", variant="kfold", backend="jax")
OUTCOME = {
    "history": {"loss": [3.0, 2.0], "val_mae": [2.5, 2.25]},
    "final": {"mean_mae": 2.125},
    "digests": {"data": "d"},
    "samples": {"train": 303, "validation": 101},
}
NAMES = ("jax", "torch")


def result(status=Status.OK, reason="", outcome=OUTCOME):
    return CellResult(CELL, status, reason, outcome=outcome)


def good(digest="d"):
    return SeedResult({"val_mae": 2.0}, {"data": digest})


def test_a_metric_is_the_last_epochs_or_what_was_measured_at_the_end():
    found = read_seed(result(), ["val_mae", "mean_mae"])
    assert found.values == {"val_mae": 2.25, "mean_mae": 2.125}
    assert found.samples["validation"] == 101


def test_an_unknown_metric_is_answered_with_those_there_are():
    with pytest.raises(
        UnknownMetricError, match="'val_mse': expected one of loss, val_mae, mean_mae"
    ):
        read_seed(result(), ["val_mse"])


def test_a_number_that_is_not_finite_is_a_divergence_and_a_crash_is_none():
    lost = checked_numbers(result(outcome={**OUTCOME, "history": {"loss": [3.0, None]}}))
    diverged = read_seed(lost, ["loss"])
    assert diverged.diverged
    assert diverged.digests == {"data": "d"}
    assert not diverged.fault
    crashed = read_seed(result(Status.CRASHED, "it was killed", outcome={}), ["loss"])
    assert not crashed.diverged
    assert crashed.fault == "crashed: it was killed"


def test_seeds_with_equal_digests_are_pairs():
    found = pair_seeds([0, 1], {0: good(), 1: good()}, {0: good(), 1: good()}, NAMES)
    assert (found.seeds, found.fault, found.paired) == ([0, 1], "", True)


def test_one_seed_with_another_digest_ends_it_all():
    found = pair_seeds([0, 1], {0: good(), 1: good()}, {0: good(), 1: good("e")}, NAMES)
    assert not found.paired
    assert not found.seeds
    assert found.fault == (
        "with seed 1 the data of jax and torch are not the same, so their trainings are no pairs"
    )


@pytest.mark.parametrize("digests", [{}, {"data": ""}])
def test_what_proves_nothing_is_no_pair(digests):
    bare = {0: SeedResult({"val_mae": 2.0}, digests)}
    found = pair_seeds([0], bare, bare, NAMES)
    assert not found.paired
    assert "digests, of which there are none" in found.fault


def test_a_digest_that_one_side_lacks_is_a_difference():
    found = pair_seeds([0], {0: good()}, {0: SeedResult({"val_mae": 2.0}, {})}, NAMES)
    assert not found.paired


def test_a_missing_result_is_named_and_nothing_is_averaged_without_it():
    found = pair_seeds([3, 4], {3: good(), 4: good()}, {3: good()}, NAMES)
    assert found.fault == "seed 4 on torch there is no result"


def test_divergence_is_counted_by_side():
    bad = SeedResult(digests={"data": "d"}, diverged=True)
    found = pair_seeds(
        range(4),
        {0: good(), 1: bad, 2: good(), 3: bad},
        {0: good(), 1: good(), 2: bad, 3: bad},
        NAMES,
    )
    assert (found.seeds, found.diverged_on_reference, found.diverged_on_other) == ([0], [1], [2])
    assert found.diverged_on_both == [3]
