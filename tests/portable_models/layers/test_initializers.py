"""Initializers: what they make, or the distribution they draw from."""

import keras
import numpy as np
import pytest

from portable_models import names

ROWS, COLUMNS = 200, 300
EPS = np.finfo("float32").eps


def made(name, shape=(ROWS, COLUMNS), **arguments):
    return keras.ops.convert_to_numpy(names.initializer(name, **arguments)(shape))


def fourier(window):
    """A short-time Fourier transform of 6 samples and 5 bands (real side), weighted by a window."""
    angles = 2 * np.pi * np.arange(6)[:, None, None] * np.arange(5)[None, None] / 8
    window = np.asarray(window)[:, None, None]
    return np.cos(angles) * window / np.sqrt((window**2).sum())


HANN = [0.0, 0.345491503, 0.904508497, 0.904508497, 0.345491503, 0.0]
FIXED = {
    "Zeros": ({}, (2, 3), np.zeros((2, 3))),
    "Ones": ({}, (2, 3), np.ones((2, 3))),
    "Constant": ({"value": 2.5}, (2, 3), np.full((2, 3), 2.5)),
    "Identity": ({"gain": 2.0}, (2, 3), 2 * np.eye(2, 3)),
    "STFT": ({"window": HANN}, (6, 1, 5), fourier(HANN)),
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed_values(name):
    arguments, shape, expected = FIXED[name]
    # Cosines and a scaling of numbers of at most 2.5, in float32.
    np.testing.assert_allclose(made(name, shape, **arguments), expected, rtol=0, atol=16 * EPS)


# Truncated normals are cut at two standard deviations, which leaves 0.8796 of the deviation.
CUT = 0.87962566103423978
DRAWN = {
    # name: (arguments, mean, standard deviation, largest distance from the mean)
    "RandomNormal": ({"mean": 0.5, "stddev": 0.2}, 0.5, 0.2, np.inf),
    "RandomUniform": ({"minval": -1.0, "maxval": 3.0}, 1.0, 4 / np.sqrt(12), 2.0),
    "TruncatedNormal": ({"mean": 0.5, "stddev": 0.2}, 0.5, 0.2 * CUT, 0.4),
    "VarianceScaling": (
        {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        0.0,
        np.sqrt(2 / COLUMNS),
        np.inf,
    ),
    "GlorotUniform": ({}, 0.0, np.sqrt(2 / 500), np.sqrt(6 / 500)),
    "GlorotNormal": ({}, 0.0, np.sqrt(2 / 500), 2 * np.sqrt(2 / 500) / CUT),
    "HeUniform": ({}, 0.0, np.sqrt(2 / ROWS), np.sqrt(6 / ROWS)),
    "HeNormal": ({}, 0.0, np.sqrt(2 / ROWS), 2 * np.sqrt(2 / ROWS) / CUT),
    "LecunUniform": ({}, 0.0, np.sqrt(1 / ROWS), np.sqrt(3 / ROWS)),
    "LecunNormal": ({}, 0.0, np.sqrt(1 / ROWS), 2 * np.sqrt(1 / ROWS) / CUT),
}


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_values_have_the_documented_distribution(name):
    arguments, mean, deviation, furthest = DRAWN[name]
    values = made(name, seed=7, **arguments).astype("float64")
    # Five standard errors: a sound generator fails once in a million seeds, and the seed is fixed.
    error = 5 / np.sqrt(values.size)
    assert abs(values.mean() - mean) < error * deviation
    assert abs(values.std() / deviation - 1) < error
    assert np.abs(values - mean).max() <= furthest * (1 + 4 * EPS)


@pytest.mark.parametrize("shape", [(20, 30), (30, 20)])
def test_orthogonal_rows_or_columns(shape):
    values = made("Orthogonal", shape, gain=2.0, seed=7).astype("float64")
    values = values if shape[0] < shape[1] else values.T
    # Sums of 30 products in float32 of a factorisation that is orthogonal to a few roundings.
    np.testing.assert_allclose(values @ values.T, 4 * np.eye(20), rtol=0, atol=64 * EPS)


def test_every_initializer_of_keras_is_tested():
    assert {*FIXED, *DRAWN, "Orthogonal"} == set(names.known_names()["initializer"])
