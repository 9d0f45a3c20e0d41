"""Verdicts, on made-up results: no backend runs here."""

import numpy as np
import pytest

from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Agreement
from backends_matrix.judge.noise import noise_floor
from backends_matrix.judge.trajectories import Judgement
from backends_matrix.run.cell import Cell
from backends_matrix.run.extra_replicas import find_doubtful_variants
from backends_matrix.run.result import CellResult, Status


def result(
    backend, history, *, replica=0, digests=None, final=None, samples=None, status=Status.OK
):
    cell = Cell(experiment="study", variant="plain", backend=backend, replica=replica)
    outcome = {
        "history": history,
        "final": final or {},
        "digests": digests or {},
        "samples": samples or {"train": 100},
    }
    return CellResult(cell, status, outcome=outcome)


def verdicts(results, **changes):
    return [each.verdict for each in judge_cells(results, "jax", Judgement(**changes))]


def test_equal_histories_agree():
    results = [result("jax", {"loss": [0.5, 0.4]}), result("torch", {"loss": [0.5, 0.4]})]
    assert verdicts(results) == [Agreement.AGREES, Agreement.AGREES]


def test_a_difference_above_rounding_is_found_without_replicas():
    found = judge_cells(
        [result("jax", {"loss": [0.5]}), result("torch", {"loss": [0.5001]})], "jax"
    )
    assert [each.verdict for each in found] == [Agreement.DIFFERS]
    assert found[0].smallest_passing == pytest.approx(1e-4)
    assert "float32" in found[0].why


def test_a_difference_within_the_replicas_noise_agrees():
    results = [
        result("jax", {"loss": [0.5]}),
        result("jax", {"loss": [0.5001]}, replica=1),
        result("torch", {"loss": [0.5005]}),
    ]
    assert verdicts(results) == [Agreement.AGREES]


def test_a_difference_beyond_the_replicas_noise_differs():
    results = [
        result("jax", {"loss": [0.5]}),
        result("jax", {"loss": [0.5001]}, replica=1),
        result("torch", {"loss": [0.5009]}),
    ]
    assert verdicts(results) == [Agreement.DIFFERS]


def test_noise_above_the_effect_that_matters_makes_agreement_undecidable():
    results = [
        result("jax", {"loss": [0.5]}),
        result("jax", {"loss": [0.45]}, replica=1),
        result("torch", {"loss": [0.52]}),
    ]
    assert verdicts(results) == [Agreement.UNDECIDABLE]


def test_noise_does_not_shrink_when_trajectories_cross_again():
    floor = noise_floor([np.array([0.0, 0.0, 0.0]), np.array([0.1, 0.3, 0.0])], 3)
    assert floor.tolist() == pytest.approx([0.1, 0.3, 0.3])


def test_the_floor_is_the_largest_distance_between_any_two_members():
    floor = noise_floor([np.array([0.0]), np.array([0.1]), np.array([-0.1])], 1)
    assert floor.tolist() == pytest.approx([0.2])


@pytest.mark.parametrize(("moved", "expected"), [(2, Agreement.AGREES), (3, Agreement.DIFFERS)])
def test_accuracy_is_judged_by_whole_samples(moved, expected):
    samples = {"train": 10, "validation": 1000}
    results = [
        result("jax", {"val_accuracy": [0.5]}, samples=samples),
        # A hair less than whole samples, as a float32 mean rounds.
        result("torch", {"val_accuracy": [0.5 + moved / 1000 - 1e-9]}, samples=samples),
    ]
    assert verdicts(results) == [expected]


def test_accuracy_over_few_samples_must_be_equal():
    samples = {"train": 30}
    pair = [result("jax", {"accuracy": [0.5]}, samples=samples)]
    assert verdicts([*pair, result("torch", {"accuracy": [0.5]}, samples=samples)]) == [
        Agreement.AGREES
    ]
    moved = result("torch", {"accuracy": [0.5 + 1 / 30]}, samples=samples)
    assert verdicts([*pair, moved]) == [Agreement.DIFFERS]


def test_an_unequal_digest_differs_and_is_named():
    results = [
        result("jax", {"loss": [0.5]}, digests={"order": "a", "data": "d"}),
        result("torch", {"loss": [0.5]}, digests={"order": "b", "data": "d"}),
    ]
    found = [each for each in judge_cells(results, "jax") if each.verdict is Agreement.DIFFERS]
    assert [(each.level, each.quantity, each.backend) for each in found] == [(0, "order", "torch")]


def test_a_digest_that_is_missing_on_one_side_differs():
    results = [
        result("jax", {"loss": [0.5]}, digests={"batches": "a"}),
        result("torch", {"loss": [0.5]}),
    ]
    assert Agreement.DIFFERS in verdicts(results)


def test_a_metric_or_an_epoch_that_only_one_has_differs():
    results = [result("jax", {"loss": [0.5, 0.4]}), result("torch", {"loss": [0.5], "mae": [1.0]})]
    found = [
        each.quantity for each in judge_cells(results, "jax") if each.verdict is Agreement.DIFFERS
    ]
    assert found == ["number of values of loss", "number of values of mae"]


def test_a_cell_that_is_not_ok_is_not_compared():
    results = [
        result("jax", {"loss": [0.5]}),
        result("torch", {"loss": [0.9]}, status=Status.INVALID),
    ]
    assert judge_cells(results, "jax") == []


def test_final_metrics_have_no_epoch():
    results = [
        result("jax", {"loss": [0.5]}, final={"test_loss": 0.3}),
        result("torch", {"loss": [0.5]}, final={"test_loss": 0.3}),
    ]
    assert [(each.quantity, each.epoch) for each in judge_cells(results, "jax")] == [
        ("loss", 1),
        ("test_loss", None),
    ]


def test_a_variant_is_doubtful_where_metrics_differ_and_the_input_does_not():
    ours = result("jax", {"loss": [0.5]}, digests={"data": "a"})
    theirs = [
        result("torch", {"loss": [value]}, digests={"data": digest})
        for value, digest in ((0.5, "a"), (0.6, "a"), (0.6, "b"))
    ]
    found = [find_doubtful_variants(judge_cells([ours, each], "jax")) for each in theirs]
    assert found == [set(), {("study", "plain")}, set()]


def twice(backend, distance, base=0.5):
    return [
        result(backend, {"loss": [base]}),
        result(backend, {"loss": [base + distance]}, replica=1),
    ]


def test_the_noise_of_another_backend_counts_too():
    assert verdicts([*twice("jax", 1e-4), *twice("torch", 4e-4, base=0.502)])[-1] is (
        Agreement.AGREES
    )
    alone = [*twice("jax", 1e-4), result("torch", {"loss": [0.502]})]
    assert verdicts(alone) == [Agreement.DIFFERS]


def test_no_backend_speaks_for_itself_by_being_different_every_time():
    results = [*twice("jax", 1e-6), *twice("torch", 2e-3, base=0.502)]
    assert verdicts(results) == [Agreement.DIFFERS]
    assert verdicts(results, vouching=None) == [Agreement.AGREES]


def test_nobody_vouches_for_a_backend_where_the_reference_has_no_replicas():
    results = [result("jax", {"loss": [0.5]}), *twice("torch", 2e-3, base=0.502)]
    assert verdicts(results) == [Agreement.DIFFERS]
    assert verdicts(results, vouching=None) == [Agreement.AGREES]


def test_the_distance_between_backends_is_no_noise():
    results = [
        *twice("jax", 1e-6),
        *twice("tensorflow", 1e-6, base=0.6),
        result("torch", {"loss": [0.55]}),
    ]
    assert verdicts(results) == [Agreement.DIFFERS, Agreement.DIFFERS]


NAN = float("nan")


def diverged(backend, points, **settings):
    return result(backend, {"loss": points}, status=Status.DIVERGED, **settings)


def test_numbers_lost_at_the_same_epoch_agree():
    found = judge_cells([diverged("jax", [0.5, NAN]), diverged("torch", [0.5, NAN])], "jax")
    assert [each.verdict for each in found] == [Agreement.AGREES] * 2
    assert found[1].why == "neither has a finite number there"


@pytest.mark.parametrize("lost", [NAN, float("inf"), None])
def test_numbers_lost_on_one_side_differ(lost):
    found = judge_cells(
        [diverged("jax", [0.5, lost]), result("torch", {"loss": [0.5, 0.4]})], "jax"
    )
    assert [each.verdict for each in found] == [Agreement.AGREES, Agreement.DIFFERS]
    assert found[1].why == "jax alone has no finite number there"
    assert found[1].to_json()["difference"] is None


def test_where_the_reference_has_no_numbers_the_others_are_compared_with_each_other():
    others = [result("tensorflow", {"loss": [0.5]}), result("torch", {"loss": [0.6]})]
    found = judge_cells([diverged("jax", [NAN]), *others], "jax")
    assert [(each.reference, each.backend, each.verdict) for each in found] == [
        ("jax", "tensorflow", Agreement.DIFFERS),
        ("jax", "torch", Agreement.DIFFERS),
        ("tensorflow", "torch", Agreement.DIFFERS),
    ]
    found = judge_cells(others, "jax")
    assert [(each.reference, each.backend) for each in found] == [("tensorflow", "torch")]


@pytest.mark.parametrize(
    ("floor", "verdict"), [(0.2, Agreement.UNDECIDABLE), (0.0, Agreement.DIFFERS)]
)
def test_chaos_may_lose_numbers_where_it_has_decided_before(floor, verdict):
    """A replica without numbers excuses a backend only where the noise had grown past the effect."""
    results = [
        result("jax", {"loss": [0.5, 0.5, 0.5]}),
        diverged("jax", [0.5, 0.5 + floor, NAN], replica=1),
        diverged("torch", [0.5, 0.5, NAN]),
    ]
    assert verdicts(results)[2] is verdict
