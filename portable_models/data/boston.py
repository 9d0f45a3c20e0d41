"""Boston house prices: 506 towns, 13 features, median price in thousands of dollars.

The embedded table ``boston_housing.csv`` is ``sklearn/datasets/data/boston_house_prices.csv`` of
scikit-learn 1.1.3, byte for byte: the public-domain data of StatLib
(http://lib.stat.cmu.edu/datasets/boston), in its original order, from Harrison and Rubinfeld, "Hedonic
prices and the demand for clean air", J. Environ. Economics & Management 5 (1978), 81-102. The feature
``B`` assumes that racial self-segregation raises prices; the table serves here to compare numerics only.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portable_models.data.archive import read_archive
from portable_models.data.samples import ArraySamples, DataSet
from portable_models.data.sources import SAMPLE, DataError, Source, find, kind_of

FEATURES: Final = (
    *("CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE"),
    *("DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT"),
)
_SEED: Final = 113
_TEST_SHARE: Final = 0.2

Table = tuple[NDArray[np.float64], NDArray[np.float64]]


def load_boston(source: Source = SAMPLE, trust: bool = False) -> DataSet:
    """Boston house prices, shuffled and cut as ``keras.datasets.boston_housing`` does.

    Args:
        source: ``"sample"`` is the embedded table, which is the whole of it; ``"full"`` or a path reads
            ``boston_housing.npz`` (arrays ``x`` and ``y``) and gives the same numbers.
        trust: read pickled arrays of a file whose SHA-256 is not a known one.

    Returns:
        404 training and 102 test rows; ``x`` float64 of shape ``(n, 13)`` as measured (columns:
        ``FEATURES``; :func:`~portable_models.data.standardise` scales them), ``y`` float64 of shape
        ``(n,)`` in thousands of dollars.

    Raises:
        DataError: the file is missing, damaged or of another shape.
    """
    if kind_of(source) == SAMPLE:
        (x, y), origin = _embedded(), "StatLib's table, embedded"
    else:
        archive = read_archive(find("boston", source), ("x", "y"), trust=trust)
        x, y = _checked(str(archive.path), archive.array("x"), archive.array("y"))
        origin = archive.identity
    order = np.arange(len(x))
    np.random.RandomState(_SEED).shuffle(order)
    cut = int(len(x) * (1 - _TEST_SHARE))
    x, y = x[order], y[order]
    return DataSet(
        name="boston",
        kind=kind_of(source),
        train=ArraySamples(x[:cut], y[:cut]),
        test=ArraySamples(x[cut:], y[cut:]),
        description=f"Boston house prices ({origin}): {cut} training and {len(x) - cut} test rows",
    )


def _embedded() -> Table:
    table = resources.files("portable_models.data") / "boston_housing.csv"
    with table.open(encoding="ascii") as lines:
        rows = np.loadtxt(lines, np.float64, delimiter=",", skiprows=2)
    return rows[:, :-1], rows[:, -1]


def _checked(path: str, x: NDArray[np.generic], y: NDArray[np.generic]) -> Table:
    if x.ndim != 2 or x.shape[1] != len(FEATURES) or y.shape != (len(x),):
        raise DataError(
            f"{path}: expected x of shape (n, {len(FEATURES)}) and y of shape (n,), "
            f"got {x.shape} and {y.shape}"
        )
    if len(x) < 2:
        raise DataError(f"{path}: expected rows to train on and to test with, got {len(x)}")
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf":
        raise DataError(f"{path}: expected numbers, got x of {x.dtype} and y of {y.dtype}")
    features, prices = x.astype(np.float64), y.astype(np.float64)
    if not (np.isfinite(features).all() and np.isfinite(prices).all()):
        raise DataError(f"{path}: expected finite numbers, got NaN or infinity")
    return features, prices
