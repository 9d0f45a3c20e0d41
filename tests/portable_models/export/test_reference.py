"""What is measured of the source model: its numbers, and how far the smallest changes move them."""

import keras
import numpy as np
import pytest
from keras import layers

from portable_models.export import reference
from portable_models.export.inspection import view
from portable_models.export.reference_file import ReferenceFile

ULP = 2.0**-23


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((1,), name="x"), layers.Dense(1, use_bias=False)])


def test_floor_is_a_unit_or_two_in_the_last_place_of_a_product(model, tmp_path):
    reference.measure(view(model), 17, tmp_path / "measured.npz", gradients=True)
    found = ReferenceFile(tmp_path / "measured.npz")
    for probe in range(found.probes):
        (outputs,), (floor,) = found.outputs(probe), found.floors(probe)
        # Weight and input move by half a unit to one, up or down, and the product is rounded.
        largest = np.abs(outputs).max()
        assert 0.25 * ULP * largest <= floor <= 3 * ULP * largest, probe
    assert len(found.gradients) == len(found.gradient_floors) == 1


def test_floor_is_the_root_mean_square_of_the_moves(model, tmp_path, monkeypatch):
    moves = iter(range(1, 100))
    probes = 6

    def outputs(seen, inputs):
        # The source model's own run of every probe comes first, then each replica's.
        call = next(moves) - 1
        replica = call // probes
        return [np.full((len(inputs[0]), 1), {0: 0.0, 1: 3.0, 2: 4.0}.get(replica, 0.0))]

    monkeypatch.setattr(reference, "_outputs", outputs)
    monkeypatch.setattr(reference, "_latency", lambda seen, probe: 0.0)
    reference.measure(view(model), 17, tmp_path / "measured.npz", gradients=False)
    floors = ReferenceFile(tmp_path / "measured.npz").floors(0)
    assert float(floors[0]) == pytest.approx((25 / reference.REPLICAS) ** 0.5)


def test_the_model_is_put_back(model, tmp_path):
    before = [np.array(value) for value in model.get_weights()]
    reference.measure(view(model), 17, tmp_path / "measured.npz", gradients=False)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
