import pytest

from backends_matrix.report.plot_data import trajectories
from backends_matrix.report.records import parse


def of(document, variant="final", quantity="val_loss"):
    (found,) = [
        each for each in trajectories(parse(document), "imdb")[variant] if each.quantity == quantity
    ]
    return found


def entries(document, quantity="val_loss", backend="torch", epoch=2):
    return [
        each
        for each in document["comparisons"]
        if (each["variant"], each["quantity"], each["backend"], each["epoch"])
        == ("final", quantity, backend, epoch)
    ]


def test_every_metric_of_every_variant_is_there(small_document):
    found = trajectories(parse(small_document), "imdb")
    assert {variant: [each.quantity for each in shown] for variant, shown in found.items()} == {
        variant: ["loss", "accuracy", "val_loss", "val_accuracy"]
        for variant in ("validated", "final")
    }


def test_it_holds_what_was_measured_and_how_far_it_is_from_the_reference(small_document):
    (entry,) = entries(small_document)
    entry |= {"difference": 0.125, "tolerance": 0.5}
    found = of(small_document)
    assert found.reference == "jax"
    assert set(found.values) == {"jax", "tensorflow", "torch"}
    assert set(found.distances) == {"tensorflow", "torch"}
    assert found.distances["torch"][1] == 0.125
    assert len(found.tolerance) == len(found.values["torch"]) == 4


def test_the_band_is_as_narrow_as_the_narrowest_tolerance(small_document):
    (entry,) = entries(small_document)
    (other,) = entries(small_document, backend="tensorflow")
    entry["tolerance"], other["tolerance"] = 0.5, 0.25
    assert of(small_document).tolerance[1] == 0.25


def test_only_undecidable_epochs_of_the_metric_are_marked(small_document):
    (entry,) = entries(small_document, epoch=3)
    entry["verdict"] = "undecidable"
    assert of(small_document).undecidable == [False, False, True, False]
    assert of(small_document, quantity="loss").undecidable == [False] * 4


@pytest.mark.parametrize("level", [0, 1])
def test_other_levels_are_no_trajectories(small_document, level):
    for entry in small_document["comparisons"]:
        entry["level"] = level
    assert trajectories(parse(small_document), "imdb") == {}
