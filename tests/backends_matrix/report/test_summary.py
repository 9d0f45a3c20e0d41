import pytest

from backends_matrix.report.records import Comparison, Verdict, parse
from backends_matrix.report.summary import explanation, steps, times, versions
from backends_matrix.report.wording import share_text


def test_agreement_is_explained_by_what_came_nearest_to_its_tolerance(small_document):
    for entry in small_document["comparisons"]:
        entry["difference"] = 0.0
    entry = next(each for each in small_document["comparisons"] if each["quantity"] == "loss")
    entry |= {"difference": 0.3, "tolerance": 0.4}
    found = explanation(parse(small_document))
    assert "All 28 digests of what went in are equal." in found
    assert "loss of imdb/validated on tensorflow at epoch 1: 3.0e-1 ≤ 4.0e-1, 75 % of it." in found


def test_numbers_that_are_all_equal_are_called_so(small_document):
    for entry in small_document["comparisons"]:
        entry["difference"] = 0.0
    assert "to the last digit" in explanation(parse(small_document))


def test_what_is_undecidable_is_not_called_agreement(small_document):
    for entry in small_document["comparisons"]:
        if entry["level"]:
            entry["verdict"] = "undecidable"
    found = explanation(parse(small_document))
    made = sum(entry["level"] == 2 for entry in small_document["comparisons"])
    assert f"{made} comparisons are undecidable and prove nothing." in found
    assert "nearest" not in found


def test_a_difference_is_explained_by_its_kind(differing_document):
    differing_document["explanations"] = [
        {
            "experiment": "imdb",
            "variant": "final",
            "backend": "torch",
            "kind": "optimizer",
            "sentence": "optimizer: the optimizer makes another update",
            "epoch": 1,
            "step": 0,
        }
    ]
    found = explanation(parse(differing_document))
    assert found.startswith("optimizer: the optimizer makes another update. imdb/final: ")
    assert found.endswith("1 more problem is below.")


def test_what_could_not_be_run_is_the_explanation(broken_document):
    assert "the worker was killed by signal 9" in explanation(parse(broken_document))


def test_the_commands_can_be_typed_again(document):
    document["command"] = ["portable", "matrix", "imdb", "--out", "a run"]
    document["environment"]["backends"]["jax"] |= {"keras": "3.15.1", "jax": "0.10.2"}
    report = parse(document)
    found = [command for _, command in steps(report)]
    assert found[0] == "portable matrix imdb --out 'a run'"
    assert found[1] == (
        "portable matrix imdb --out 'a run' --variant validated --steps always --out one-variant"
    )
    assert "keras==3.15.1 jax==0.10.2" in versions(report)["jax"]


def test_without_a_record_the_time_is_that_of_the_cells(document):
    report = parse(document)
    assert times(report) == {
        "training, in all workers": pytest.approx(sum(each.seconds for each in report.cells))
    }


@pytest.mark.parametrize(
    ("difference", "tolerance", "level", "words"),
    [
        (0.0, 1.0, 2, "every number is equal"),
        (0.0, 0.0, 0, "every number is equal"),
        (1.0, 0.0, 0, "initial weights not equal"),
        (None, 1.0, 2, "initial weights is no number"),
        (1e-9, 1.0, 2, "below 1 % of tolerance (initial_weights)"),
        (0.314, 1.0, 2, "31 % of tolerance (initial_weights)"),
        (2.0, 1.0, 2, "200 % of tolerance (initial_weights)"),
        (1234.0, 1.0, 2, "1,234 x its tolerance (initial_weights)"),
        (1e9, 1.0, 2, "1.0e9 x its tolerance (initial_weights)"),
    ],
)
def test_a_share_in_words(difference, tolerance, level, words):
    differs = difference is None or difference > tolerance
    verdict = Verdict.DIFFERS if differs else Verdict.AGREES
    entry = Comparison(
        *(level, "imdb", "final", "initial_weights", 1, "jax", "torch", "numpy"),
        *(difference, tolerance, difference, verdict, ""),
    )
    assert share_text(entry) == words
