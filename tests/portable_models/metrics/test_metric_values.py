"""Every metric, over several batches and with sample weights, against its definition in float64."""

import keras
import numpy as np
import pytest

from portable_models import names

from .cases import BATCHES, CASES, NUMBERS, WEIGHTS

# A value comes of at most 64 float32 operations, each off by half a unit in the last place of a
# number that is at most `magnitude`; Keras's ratios also hold its epsilon, 1e-7, once in the
# denominator.
ROUNDINGS = 64 * np.finfo("float32").eps / 2
# One case for each of Keras's ways to keep state; the other classes inherit one of these.
OWN_STATE = {
    "MeanSquaredError",
    "TruePositives",
    "Precision",
    "Recall",
    "AUC",
    "SensitivityAtSpecificity",
    "IoU",
    "FBetaScore",
    "R2Score",
}
RESET = list({case.name: case for case in CASES if case.name in OWN_STATE}.values())
# Keras has no scalar mean of two arrays in these: they take one array of values.
OF_VALUES = {"Mean", "Sum", "MeanTensor"}


def close(actual, expected, magnitude=1.0):
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(actual), expected, rtol=ROUNDINGS, atol=ROUNDINGS * magnitude
    )


# keras 3.15.1 counts confusions with int64 indices, which JAX does not have and says so; the
# numbers are right. Can go with the entry "iou-int64" of known_gaps.toml.
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_metric_is_that_of_its_definition(case, weighted):
    metric = names.metric(case.name, **case.arguments)
    for batch in BATCHES:
        weights = case.weights[batch] if weighted else None
        metric.update_state(case.y_true[batch], case.y_pred[batch], sample_weight=weights)
    close(metric.result(), case.expected(case.weights if weighted else None), case.magnitude)


@pytest.mark.parametrize("case", RESET, ids=str)
def test_reset_forgets_all_batches(case):
    metric = names.metric(case.name, **case.arguments)
    metric.update_state(case.y_true[BATCHES[0]], case.y_pred[BATCHES[0]])
    metric.reset_state()
    for batch in BATCHES:
        metric.update_state(case.y_true[batch], case.y_pred[batch])
    close(metric.result(), case.expected(), case.magnitude)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mean", lambda v, w: (v.mean(-1) * w).sum() / w.sum()),
        ("Sum", lambda v, w: (v.sum(-1) * w).sum()),
    ],
)
def test_values_are_reduced(name, expected, weights):
    metric = names.metric(name)
    for batch in BATCHES:
        metric.update_state(NUMBERS[batch], None if weights is None else weights[batch])
    ones = np.ones(len(NUMBERS)) if weights is None else weights.astype("float64")
    close(metric.result(), expected(NUMBERS.astype("float64"), ones), magnitude=30)


def test_every_metric_has_a_case():
    # The metric of a function is there under the function's name, as "huber".
    known = set(names.known_names()["metric"]) - {"MeanMetricWrapper"} | {"huber"}
    # What a crossentropy of Keras is replaced by has its name, and its case.
    known = {name for name in known if not name.endswith("OfProbabilities")}
    assert {case.name for case in CASES} | OF_VALUES == known
