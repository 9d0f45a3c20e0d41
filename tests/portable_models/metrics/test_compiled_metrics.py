"""Every metric inside the compiled ``evaluate``, weighted, with a smaller last batch."""

import keras
import numpy as np
import pytest

from portable_models import names

from . import cases
from .test_metric_values import close

GROUPS = {
    "regression": cases.REGRESSION,
    "positives": cases.POSITIVES,
    "binary": cases.BINARY,
    "answers": cases.ANSWERS,
    "categorical": cases.CATEGORICAL,
    "sparse": cases.SPARSE,
    "classes": cases.CLASSES_OF_BOTH,
    "distributions": cases.DISTRIBUTIONS,
}
BATCH = 4  # of 10 samples: 4, 4 and 2

# As in test_metric_values: waits for the entry "iou-int64" of known_gaps.toml.
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")


def nothing(y_true, y_pred):
    """A loss of zero: evaluate() wants one on two of the three backends."""
    return 0.0 * keras.ops.sum(keras.ops.reshape(y_pred, (keras.ops.shape(y_pred)[0], -1)), -1)


@pytest.mark.parametrize("group", GROUPS)
def test_evaluate_measures_what_the_definitions_say(group):
    members = [case for case in GROUPS[group] if case.weights is cases.WEIGHTS]
    predictions = members[0].y_pred.astype("float32")
    inputs = keras.Input(predictions.shape[1:])
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    metrics = [
        names.metric(case.name, **{**case.arguments, "name": f"metric_{number}"})
        for number, case in enumerate(members)
    ]
    model.compile(loss=nothing, weighted_metrics=metrics)
    logs = model.evaluate(
        predictions,
        members[0].y_true,
        sample_weight=cases.WEIGHTS,
        batch_size=BATCH,
        return_dict=True,
        verbose=0,
    )
    assert len(logs) == len(members) + 1
    for number, case in enumerate(members):
        actual = np.asarray(keras.ops.convert_to_numpy(logs[f"metric_{number}"]))
        close(actual, case.expected(cases.WEIGHTS), case.magnitude)
