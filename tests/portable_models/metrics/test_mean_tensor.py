"""MeanTensor: element-wise weighted means, in plain and in compiled code."""

import keras
import numpy as np
import pytest

from portable_models import names
from portable_models.metrics import MeanTensor

from .test_metric_values import close

VALUES = np.random.default_rng(7).normal(size=(3, 4, 2)).astype("float32")


class Observer(keras.Model):
    """Keeps the mean prediction of each output unit over all batches."""

    def __init__(self, shape):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.seen = MeanTensor(shape=shape)

    def call(self, inputs):
        return self.dense(inputs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.seen.update_state(keras.ops.mean(y_pred, axis=0))
        return super().compute_metrics(x, y, y_pred, sample_weight)


@pytest.mark.parametrize("shape", [None, (4, 2)], ids=["first value", "given"])
def test_each_element_has_its_own_mean(shape):
    metric = MeanTensor(shape=shape)
    for value in VALUES:
        metric.update_state(value)
    close(metric.result(), VALUES.astype("float64").mean(0))


@pytest.mark.parametrize(
    "weights",
    [2.0, [0.5, 1.0, 0.0, 3.0], np.arange(8).reshape(4, 2) / 4],
    ids=["scalar", "leading axis", "element"],
)
def test_weights_count_elements_more_or_less(weights):
    metric = MeanTensor(shape=(4, 2))
    metric.update_state(VALUES[0])
    metric.update_state(VALUES[1], sample_weight=np.asarray(weights, dtype="float32"))
    w = np.asarray(weights, dtype="float64")
    w = np.broadcast_to(w[:, None] if w.ndim == 1 else w, (4, 2))
    first, second = VALUES[:2].astype("float64")
    close(metric.result(), (first + w * second) / (1 + w))


def test_an_element_of_no_weight_is_zero():
    metric = MeanTensor(shape=(2,))
    metric.update_state([3.0, 5.0], sample_weight=[0.0, 1.0])
    close(metric.result(), [0.0, 5.0])


def test_reset_keeps_the_shape_and_forgets_the_values():
    metric = MeanTensor()
    metric.update_state(VALUES[0])
    metric.reset_state()
    metric.update_state(VALUES[1])
    close(metric.result(), VALUES[1])


def test_shape_and_dtype_survive_a_config():
    metric = MeanTensor(name="mean_of_rows", shape=(4, 2))
    assert names.metric(names.serialize(metric)).get_config() == {
        "name": "mean_of_rows",
        "dtype": "float32",
        "shape": [4, 2],
    }


def test_a_model_with_a_shape_observes_the_compiled_evaluation():
    model = Observer((2,))
    x = VALUES.reshape(12, 2)
    model.compile(loss="mse")
    model.evaluate(x, np.zeros((12, 2)), batch_size=4, verbose=0)
    kernel, bias = (np.asarray(weight, "float64") for weight in model.dense.get_weights())
    close(model.seen.result(), x.astype("float64").mean(0) @ kernel + bias)


class Observed(keras.layers.Layer):
    """Keeps the mean of its inputs."""

    def __init__(self):
        super().__init__()
        self.seen = MeanTensor()

    def call(self, inputs):
        self.seen.update_state(keras.ops.mean(inputs, axis=0))
        return inputs


def test_without_a_shape_symbolic_code_is_told_to_give_one():
    with pytest.raises(ValueError, match=r"inside compiled code.*MeanTensor\(shape=\(2,\)\)"):
        Observed()(keras.Input((2,)))


def test_another_shape_is_refused():
    metric = MeanTensor(shape=(4, 2))
    with pytest.raises(ValueError, match=r"expected \(4, 2\), got \(3, 2\)"):
        metric.update_state(VALUES[0][:3])


def test_a_result_without_values_is_refused():
    with pytest.raises(ValueError, match="has seen no value yet"):
        MeanTensor().result()


def test_an_unknown_dimension_is_refused():
    with pytest.raises(ValueError, match=r"must be known; got \(None, 2\)"):
        MeanTensor(shape=(None, 2))
