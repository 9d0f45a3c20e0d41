"""MeanRelativeError: shapes it takes and refuses, and its config. Its values are in test_metric_values."""

import numpy as np
import pytest

from portable_models import names
from portable_models.metrics import MeanRelativeError

from .test_metric_values import close


def test_published_example():
    # https://www.tensorflow.org/versions/r2.15/api_docs/python/tf/keras/metrics/MeanRelativeError
    metric = MeanRelativeError(normalizer=[1, 3, 2, 3])
    metric.update_state([1, 3, 2, 3], [2, 4, 6, 8])
    close(metric.result(), 1.25)


def test_a_normalizer_per_sample_fits_a_model_with_one_output():
    metric = MeanRelativeError(normalizer=[1.0, 2.0, 4.0])
    metric.update_state(np.zeros(3), np.array([[1.0], [1.0], [1.0]]), sample_weight=[1.0, 0.0, 1.0])
    close(metric.result(), (1 + 1 / 4) / 2)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_targets_may_lack_the_last_axis(shape):
    metric = MeanRelativeError(normalizer=2.0)
    metric.update_state(np.zeros(shape), np.array([[1.0], [2.0], [3.0]]))
    close(metric.result(), 1.0)


def test_where_the_normalizer_is_zero_the_error_is_zero():
    metric = MeanRelativeError(normalizer=[0.0, 2.0])
    metric.update_state([[1.0, 1.0]], [[5.0, 5.0]])
    close(metric.result(), 1.0)


def test_the_normalizer_survives_a_config():
    metric = MeanRelativeError(normalizer=np.array([[1.0, 2.0]]), name="relative")
    again = names.metric(names.serialize(metric))
    assert again.get_config() == {
        "name": "relative",
        "dtype": "float32",
        "normalizer": [[1.0, 2.0]],
    }


@pytest.mark.parametrize("normalizer", ["wide", None, float("nan"), [1.0, float("inf")]])
def test_a_normalizer_that_is_no_finite_number_is_refused(normalizer):
    with pytest.raises(ValueError, match="array of finite numbers; got"):
        MeanRelativeError(normalizer=normalizer)


def test_a_normalizer_of_another_rank_is_refused():
    metric = MeanRelativeError(normalizer=np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=r"got \(3, 4\), \(3, 4\) and \(2, 3, 4\)"):
        metric.update_state(np.ones((3, 4)), np.ones((3, 4)))
