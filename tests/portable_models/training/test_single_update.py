"""One update from gradients that are given, in the form in which the backend's optimizer gets them."""

import os

import keras
import numpy as np
import pytest

from portable_models import portable_random
from portable_models._backend import current
from portable_models._backend.step_result import Slices
from portable_models.training.single_update import apply_gradients, with_sum

SPARSE = os.environ["KERAS_BACKEND"] == "tensorflow"
ROWS = np.array([2, 0, 2])


def test_slices_get_the_sum_that_is_given():
    slices = Slices(ROWS, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32"))
    total = np.zeros((4, 2))
    np.add.at(total, ROWS, slices.values)
    wanted = total * (1 + 1e-3)
    found = with_sum(slices, wanted)
    again = np.zeros((4, 2))
    np.add.at(again, found.rows, found.values)
    assert np.allclose(again, wanted, rtol=1e-12)
    assert np.array_equal(found.rows, ROWS)
    # The second slice of a row stays what it is; the first makes up the sum.
    assert np.array_equal(found.values[2], [5.0, 6.0])


def test_a_gradient_of_other_rows_is_no_sum_of_the_slices():
    slices = Slices(ROWS, np.ones((3, 2), "float32"))
    assert with_sum(slices, np.ones((4, 2))) is None


def embedded(optimizer):
    with portable_random(0):
        model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(4, 2)])
        model.compile(optimizer, "mse")
        model.optimizer.build(model.trainable_variables)
    return model


def gradients(model):
    ids = keras.ops.convert_to_tensor(ROWS.reshape(1, 3).astype("int32"))
    y = keras.ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(1, 3, 2))
    return current().gradients(model, ids, y, None)


def test_which_gradients_come_as_slices():
    found = gradients(embedded("adam"))
    assert sorted(found.slices) == ([0] if SPARSE else [])
    if SPARSE:
        assert found.slices[0].rows.tolist() == ROWS.tolist()
        total = np.zeros((4, 2), "float32")
        np.add.at(total, found.slices[0].rows, found.slices[0].values)
        assert np.allclose(total, found.gradients[0])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_an_update_from_slices_is_the_one_that_fit_makes(optimizer):
    trained, model = embedded(optimizer), embedded(optimizer)
    found = gradients(model)
    y = np.arange(6, dtype="float32").reshape(1, 3, 2)
    trained.fit(ROWS.reshape(1, 3), y, verbose=0)
    apply_gradients(model, found.gradients, found.slices)
    for one, other in zip(model.get_weights(), trained.get_weights(), strict=True):
        assert np.allclose(one, other, rtol=1e-6)


def test_sums_and_slices_move_an_adaptive_optimizer_otherwise_on_tensorflow_alone():
    model, other = embedded("adam"), embedded("adam")
    found = gradients(model)
    apply_gradients(model, found.gradients)
    apply_gradients(other, found.gradients, found.slices)
    one, two = model.get_weights()[0], other.get_weights()[0]
    assert np.allclose(one, two, rtol=1e-6) != SPARSE
