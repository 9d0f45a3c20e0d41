"""All pipelines deliver the same batches, in the project's order, on the backend of this process."""

import importlib.util

import numpy as np
import pytest

from portable_models.data import ArraySamples, MultiHotSamples, epoch_order, order_digest
from portable_models.data.pipelines import PIPELINES, PipelineUnavailableError, pipeline
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import Batch, digest_arrays
from portable_models.training import batch_digests

USABLE = [
    name for name, each in PIPELINES.items() if all(map(importlib.util.find_spec, each.requires))
]
COUNT, BATCH = 110, 32  # the last batch holds 14


def points(weights=False):
    rng = np.random.default_rng(3)
    x = rng.random((COUNT, 5)).astype("float32")
    y = rng.integers(0, 2, COUNT).astype("float32")
    return ArraySamples(x, y, rng.random(COUNT).astype("float32") if weights else None)


def expected(samples, order, class_weight=None):
    """The digests of the batches, cut by hand."""
    digests = []
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        arrays = [samples.x[rows], samples.y[rows].reshape(-1, 1)]
        weights = None if samples.sample_weight is None else samples.sample_weight[rows]
        if class_weight:
            factors = np.array([class_weight[int(label)] for label in samples.y[rows]], "float32")
            weights = factors if weights is None else weights * factors
        if weights is not None:
            arrays.append(weights.reshape(-1, 1))
        digests.append(digest_arrays(*arrays))
    return digests


@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 3.0}])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("name", USABLE)
def test_batches_are_delivered_in_the_given_order(name, weights, class_weight):
    samples, order = points(weights), epoch_order(COUNT, seed=1, epoch=0)
    feed = pipeline(name).feed(samples, order, BATCH, class_weight=class_weight)
    assert batch_digests(feed) == expected(samples, order, class_weight)


@pytest.mark.parametrize("name", USABLE)
def test_a_feed_can_be_read_twice(name):
    """Validation data are: once for each epoch."""
    samples = points()
    feed = pipeline(name).feed(samples, np.arange(COUNT), BATCH)
    assert batch_digests(feed) == batch_digests(feed)


@pytest.mark.parametrize("name", USABLE)
def test_bags_of_words_arrive_as_multi_hot_vectors(name):
    bags = MultiHotSamples(
        np.array([1, 3, 0, 2, 3], np.int32),
        np.array([0, 2, 2, 5]),
        4,
        np.array([0.0, 1.0, 1.0], "float32"),
    )
    dense = ArraySamples(np.array([[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1]], "float32"), bags.y)
    order = np.array([2, 0, 1])
    source = pipeline(name)
    assert batch_digests(source.feed(bags, order, 2)) == batch_digests(source.feed(dense, order, 2))


@pytest.mark.parametrize("name", [name for name in USABLE if name != "pandas"])
def test_several_inputs_and_outputs_pass_through(name):
    rng = np.random.default_rng(0)
    inputs = {
        "a": rng.random((10, 2)).astype("float32"),
        "b": rng.random((10, 3, 3)).astype("float32"),
    }
    targets = (rng.random((10, 1)).astype("float32"), rng.random((10, 2)).astype("float32"))
    feed = pipeline(name).feed(ArraySamples(inputs, targets), np.arange(10), 4)
    rows = [slice(0, 4), slice(4, 8), slice(8, 10)]
    flat = [inputs["a"], inputs["b"].reshape(10, 9), *targets]
    assert batch_digests(feed) == [digest_arrays(*(array[part] for array in flat)) for part in rows]


def test_pandas_refuses_what_has_no_rows_and_columns():
    images = ArraySamples(np.zeros((4, 2, 2)), np.zeros(4))
    with pytest.raises(ValueError, match=r"a data frame has rows and columns; got .* \(4, 2, 2\)"):
        pipeline("pandas").feed(images, np.arange(4), 2)


def test_an_unknown_pipeline_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown pipeline 'panda': .* did you mean pandas\?"):
        pipeline("panda")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PipelineUnavailableError, match=r"tf\.data needs the package tensorflow"):
        pipeline("tf.data").require()


def test_a_class_without_a_weight_is_named():
    batch = Batch(np.zeros((3, 1)), np.array([0.0, 1.0, 2.0]))
    with pytest.raises(
        ValueError, match=r"names the classes \[0, 1\]; the targets also hold \[2\]"
    ):
        weighted(batch, {0: 1.0, 1: 2.0})


def test_class_weights_of_one_hot_targets_follow_the_class():
    batch = Batch(np.zeros((2, 1)), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert weighted(batch, {0: 5.0, 1: 7.0}).sample_weight.tolist() == [7.0, 5.0]


def test_an_epoch_holds_every_sample_once_and_epochs_differ():
    orders = [epoch_order(50, seed=0, epoch=epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_an_epochs_order_depends_on_nothing_but_seed_and_epoch():
    assert epoch_order(9, seed=4, epoch=2).tolist() == epoch_order(9, seed=4, epoch=2).tolist()
    assert order_digest(9, seed=4, epochs=2) != order_digest(9, seed=5, epochs=2)
    assert epoch_order(4, seed=0, epoch=0, shuffle=False).tolist() == [0, 1, 2, 3]
