"""Is the artifact's output the source model's? By a tolerance that is relative to the output's scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portable_models.export.result import Check

Array = NDArray[Any]

RELATIVE = 1e-6
"""Largest difference allowed, as a part of the output's scale, where the model computes in float32.

Eight units in the last place of float32 (2**-23 = 1.2e-7). Two correct runtimes sum the same products
in another order: forty models and ways gave up to 2.2e-7 (docs/export.md), a wrong constant such as
another BatchNormalization epsilon gives 1e-4 and more. So the bound lies between noise and faults."""

UNITS = 8
"""Units in the last place that a difference may hold, whatever the dtype: see :data:`RELATIVE`."""

UNIT: Mapping[str, float] = {"bfloat16": 2.0**-7, "float16": 2.0**-10}
"""One unit in the last place of 1.0 in the dtypes that are rougher than float32."""

DECISIVE = 1000.0
"""How many times the flat tolerance one may be before a comparison decides nothing.

Where the source model itself moves by that much under changes of one unit in the last place, a wrong
constant, which shifts outputs by 1e-4 and more, would go unseen."""

FLOOR_FACTOR = 4.0
"""How far past the measured floor a difference may lie.

The floor is how far the *source model itself* moves when each weight and input moves by one unit in the
last place (the root mean square of several such moves). A runtime rounds at every operation, not at the
borders only, so it may move by a small multiple of that."""


def flat_tolerance(dtype: str) -> float:
    """The largest relative difference allowed where a model computes in ``dtype``."""
    return UNITS * UNIT[dtype] if dtype in UNIT else RELATIVE


def compare(
    name: str,
    batch: int,
    actual: Array,
    expected: Array,
    scale: float,
    floor: float,
    dtype: str = "float32",
) -> Check:
    """Compare one output (or gradient) of the artifact with the source model's.

    Args:
        name: what is compared.
        batch: number of rows.
        actual: the artifact's values.
        expected: the source model's values.
        scale: the output's scale: the largest magnitude that the source model gave for it on random
            inputs, or here if larger.
        floor: how far the source model's values move under changes of one unit in the last place, in the
            output's unit.
        dtype: the roughest dtype that the model computes in.

    Returns:
        The check, whose difference and tolerance are parts of ``scale``.
    """
    tolerance, reason = _tolerance(scale, floor, dtype)

    def failed(why: str) -> Check:
        return Check(name, batch, None, tolerance, scale, False, why)

    if actual.shape != expected.shape:
        return failed(f"expected shape {list(expected.shape)}, got {list(actual.shape)}")
    if not np.isfinite(expected).any() and expected.size:
        return failed("the source model gives no finite number here, so nothing can be compared")
    finite = np.isfinite(expected)
    if not np.array_equal(_kind(actual), _kind(expected)):
        return failed("NaN or infinity at other places than in the source model")
    gap = actual[finite].astype(np.float64) - expected[finite].astype(np.float64)
    largest = float(np.max(np.abs(gap), initial=0.0))
    difference = largest / scale if scale else largest
    return Check(name, batch, difference, tolerance, scale, difference <= tolerance, reason)


def scales(expected: Sequence[Sequence[Array]], random: Sequence[bool]) -> list[float]:
    """The scale of each output: its largest finite magnitude over the random inputs.

    Args:
        expected: for each probe, each output's values.
        random: for each probe, whether its inputs were random (edges do not set the scale).
    """
    chosen = [outputs for outputs, is_random in zip(expected, random, strict=True) if is_random]
    return [max(magnitude(outputs[index]) for outputs in chosen) for index in range(len(chosen[0]))]


def magnitude(values: Array) -> float:
    """The largest finite magnitude; 0 where there is none."""
    values = np.abs(values.astype(np.float64))
    return float(np.max(values, where=np.isfinite(values), initial=0.0))


def _tolerance(scale: float, floor: float, dtype: str) -> tuple[float, str]:
    relative_floor = floor / scale if scale else 0.0
    flat = flat_tolerance(dtype)
    if FLOOR_FACTOR * relative_floor <= flat:
        why = f": {UNITS} units in the last place of {dtype}, in which it computes"
        return flat, f"{flat:.0e} of the output's scale" + (why if dtype in UNIT else "")
    return FLOOR_FACTOR * relative_floor, (
        f"{FLOOR_FACTOR:.0f} times the {relative_floor:.1e} by which the source model itself moves "
        "when weights and inputs move by one unit in the last place"
    )


def _kind(values: Array) -> Array:
    """0 finite, 1 NaN, 2 infinity, 3 minus infinity."""
    return np.select([np.isnan(values), np.isposinf(values), np.isneginf(values)], [1, 2, 3], 0)
