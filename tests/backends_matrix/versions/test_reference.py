"""The float64 training that judges every row is itself right."""

import copy

import pytest

from backends_matrix.versions import smoke
from backends_matrix.versions.reference import expected, initial

XS, YS = smoke.inputs(), [y for [y] in smoke.targets()]
STEP = 1e-6


def moved(change):
    """The loss where one weight is changed."""
    network = copy.deepcopy(initial())
    change(network)
    return network.loss(XS, YS)


def shift_kernel(by):
    def change(network):
        network.kernel[2][5] += by

    return change


def shift_bias(by):
    def change(network):
        network.bias[3] += by

    return change


def shift_readout(by):
    def change(network):
        network.readout[1] += by

    return change


def shift_offset(by):
    def change(network):
        network.offset += by

    return change


@pytest.mark.parametrize(
    ("shift", "slope"),
    [
        (shift_kernel, lambda gradient: gradient.kernel[2][5]),
        (shift_bias, lambda gradient: gradient.bias[3]),
        (shift_readout, lambda gradient: gradient.readout[1]),
        (shift_offset, lambda gradient: gradient.offset),
    ],
)
def test_gradient_is_the_slope_of_the_loss(shift, slope):
    measured = (moved(shift(STEP)) - moved(shift(-STEP))) / (2 * STEP)
    computed = slope(initial().gradient(XS, YS))
    # A central difference over 1e-6 keeps about 1e-16 / 1e-6 of a loss near 1.
    assert measured == pytest.approx(computed, abs=1e-9)
    assert abs(computed) > 1e-3


def test_training_lowers_the_loss():
    found = expected()
    assert found.untrained > found.losses[0] > found.losses[1] > found.evaluate > 0


def test_no_unit_comes_near_the_corner_of_its_relu():
    # Sums of 5 float32 terms near 1 are off by less than 1e-6: no backend takes the other side.
    assert 1e-4 < expected().margin < 1


def test_batches_are_whole():
    assert smoke.SAMPLES % smoke.BATCH_SIZE == 0
