import pytest

from backends_matrix.report.problems import problem_lines
from backends_matrix.report.records import parse


def texts(document):
    return [line.text for line in problem_lines(parse(document))]


def faulty(document, **fields):
    """Let the one comparison with these fields differ."""
    (entry,) = [each for each in document["comparisons"] if fields.items() <= each.items()]
    entry |= {"verdict": "differs", "difference": 2.1e-3, "tolerance": 4e-5}
    entry |= {"smallest_passing": 2.1e-3}
    document["verdict"] = "differ"
    return document


FINAL_LOSS = {"variant": "final", "backend": "torch", "quantity": "loss"}


def test_where_all_agree_there_is_no_problem(document):
    assert texts(document) == []


def test_a_difference_names_experiment_metric_epoch_backend_and_by_how_much(document):
    assert texts(faulty(document, **FINAL_LOSS, epoch=3)) == [
        "imdb/final: loss on torch differs from jax at epoch 3: 2.1e-3 > 4.0e-5 (tolerance), "
        "smallest passing 2.1e-3"
    ]


def test_a_difference_after_training_says_so(document):
    (text,) = texts(faulty(document, variant="final", backend="torch", quantity="test_loss"))
    assert text.startswith("imdb/final: test_loss on torch differs from jax after training: ")


def test_a_digest_differs_without_numbers(document):
    where = {"variant": "final", "backend": "torch", "quantity": "initial_weights"}
    assert texts(faulty(document, **where)) == [
        "imdb/final: initial weights on torch differs from jax: "
        "the digests are not equal (level 0, exact)"
    ]


def test_the_earliest_difference_is_told_and_the_others_are_counted(differing_document):
    assert texts(differing_document) == [
        "imdb/final: loss on torch differs from jax at epoch 3: 2.1e-3 > 1.9e-6 (tolerance), "
        "smallest passing 2.1e-3; 3 more comparisons of loss, val_loss, "
        "up to 4.2e-3 in loss at epoch 4",
        "regularization/dropout: loss on torch differs from jax at epoch 3: "
        "2.1e-3 > 1.9e-6 (tolerance), smallest passing 2.1e-3; 35 more comparisons of loss, "
        "val_loss, up to 3.8e-2 in loss at epoch 20",
    ]


def test_digests_come_before_metrics(differing_document):
    where = {"variant": "final", "backend": "torch", "quantity": "order"}
    text = texts(faulty(differing_document, **where))[0]
    assert text.startswith("imdb/final: order on torch differs from jax: the digests are not equal")


def test_the_pipeline_is_named_where_there_are_several(document):
    document["cells"].append(document["cells"][0] | {"pipeline": "pandas"})
    (text,) = texts(faulty(document, **FINAL_LOSS, epoch=3))
    assert "loss on torch (numpy) differs" in text


def test_what_could_not_be_run_is_told_once_for_all_cells_of_one_cause(broken_document):
    assert texts(broken_document) == [
        "imdb/validated on tensorflow: crashed: the worker was killed by signal 9",
        'torch: unavailable: not installed: pip install "portable-models[torch]" '
        "(10 cells: imdb/validated, imdb/final, boston/kfold, …)",
        "boston/kfold on tensorflow: timed out: no epoch was finished in 600 s",
    ]


def test_a_cell_without_a_result_is_a_problem_even_if_no_problem_was_listed(broken_document):
    listed = texts(broken_document)
    broken_document["problems"] = []
    assert sorted(texts(broken_document)) == sorted(listed)


def test_a_problem_of_the_whole_backend_covers_its_cells(broken_document):
    broken_document["problems"] = [
        {
            "experiment": None,
            "variant": None,
            "backend": backend,
            "pipeline": None,
            "status": "unavailable",
            "reason": "the worker did not start",
        }
        for backend in ("torch", "tensorflow")
    ]
    assert texts(broken_document) == [
        "torch: unavailable: the worker did not start",
        "tensorflow: unavailable: the worker did not start",
    ]


def test_a_replica_that_failed_is_a_problem(document):
    replica = next(entry for entry in document["cells"] if entry["replica"])
    replica |= {"status": "failed", "reason": "ValueError: no"}
    assert texts(document) == ["imdb/validated on jax: failed: ValueError: no"]


def test_data_that_could_not_be_read_is_a_problem(document):
    document["experiments"]["imdb"] |= {"data": None, "error": "imdb.npz is cut off"}
    assert texts(document) == ["imdb: failed: imdb.npz is cut off"]


@pytest.mark.parametrize("kind", ["differing_document", "broken_document"])
def test_every_problem_is_one_line(kind, request):
    assert not [text for text in texts(request.getfixturevalue(kind)) if "\n" in text]
