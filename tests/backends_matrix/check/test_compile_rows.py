"""What a model was compiled with: lost by its configuration, unlike on other backends, or sound."""

import pytest

from backends_matrix.check.compile_rows import compile_rows, follow_configuration
from backends_matrix.check.members import Stage
from backends_matrix.check.result import Check, Kind, Status
from backends_matrix.check.warning_rows import warning_rows

from .findings_of_members import Found, members, stage

HUBER = {"huber": {"class": "Huber", "config": {"name": "huber"}}}


def compiled(before, after, settings):
    found = stage({"settings": settings}, compiled=before, compiled_again=after)
    return Found(numbers__compile_config=found)


def rows(**found):
    return {row.backend: row for row in compile_rows(members(**found), [])}


def test_a_loss_that_a_configuration_loses_is_named():
    found = rows(jax=compiled({"loss": 1.0}, {"loss": 1.5}, HUBER))["jax"]
    assert (found.status, found.kind) == (Status.FAIL, Kind.KERAS)
    assert (found.layer, found.known_gap, found.difference) == ("Huber", "loss-config", 0.5)


def test_a_metric_is_named_before_the_loss():
    settings = HUBER | {"cosine": {"class": "CosineSimilarity", "config": {}}}
    before, after = {"loss": 1.0, "cosine": 1.0}, {"loss": 2.0, "cosine": 0.5}
    found = rows(jax=compiled(before, after, settings))["jax"]
    assert (found.layer, found.known_gap) == ("cosine", "cosine-metric-config")


def test_what_cannot_be_computed_again_is_lost_too():
    arrays = stage(compiled={"loss": 1.0}).arrays
    data = {"settings": {"s": {"class": "SparseCategoricalCrossentropy", "config": {}}}}
    broken = Stage("failed", {"message": "shapes do not fit\nmore"}, data, None, arrays)
    found = rows(torch=Found(numbers__compile_config=broken))["torch"]
    assert found.known_gap == "loss-config"
    assert "shapes do not fit" in found.cause


@pytest.mark.parametrize("value", [1.0, float("inf"), float("nan")])
def test_the_same_numbers_pass(value):
    found = rows(jax=compiled({"loss": value}, {"loss": value}, HUBER))["jax"]
    assert found.status is Status.PASS
    assert found.kind is None


def test_a_configuration_of_one_backend_alone_is_reported_and_fails_nothing():
    def iou(dtype):
        settings = {"iou": {"class": "MeanIoU", "config": {"dtype": dtype}}}
        return compiled({"loss": 1.0}, {"loss": 1.0}, settings)

    found = rows(jax=iou("int32"), tensorflow=iou("int64"), torch=iou("int32"))
    assert found["jax"].kind is None
    odd = found["tensorflow"]
    assert (odd.status, odd.kind) == (Status.PASS, Kind.REPORTED)
    assert (odd.layer, odd.known_gap) == ("iou", "iou-dtype")


def test_training_from_a_file_follows_from_what_the_file_lost():
    lost = Check(
        "compile config", "torch", Status.FAIL, Kind.KERAS, "lost", "Huber", known_gap="loss-config"
    )
    later = Check("resume training", "torch>jax", Status.FAIL, Kind.KERAS, "other weights")
    other = Check("resume training", "jax>tensorflow", Status.FAIL, Kind.KERAS, "other weights")
    _, followed, own = follow_configuration([lost, later, other])
    assert (followed.known_gap, followed.layer) == ("loss-config", "Huber")
    assert own == other


def test_a_known_warning_is_reported_with_the_metric_that_gives_it():
    heard = {
        "type": "UserWarning",
        "message": "Explicitly requested dtype int64 requested in astype is not available",
        "keras_frames": [{"class": "MeanIoU", "function": "update_state", "layer": ""}],
    }
    unknown = heard | {"message": "something else"}
    fit = stage({"warnings": [unknown, heard]})
    (row,) = warning_rows(members(jax=Found(numbers__fit=fit), torch=Found(numbers__fit=fit)))
    assert (row.backend, row.layer, row.known_gap) == ("jax", "MeanIoU", "iou-int64")
    assert (row.status, row.kind) == (Status.PASS, Kind.REPORTED)
