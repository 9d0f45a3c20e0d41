"""Level 1: one step from one state, judged in float64. NumPy only.

A training is chaotic, a step is not: from the same state and batch, every backend must find the same outputs,
loss, gradients, update, statistics and metrics, but for rounding. The judge is a process
that computes the same step in float64.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.known_differences import known_gap
from backends_matrix.run.cell import Cell

KINDS = ("outputs", "loss", "statistics", "gradient", "update", "metric")
"""In the order of the computation: the first that differs says where a difference begins."""

JUDGE = "float64"

UNITS = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""One unit in the last place of 1. It is that of the type which a kind of result is computed in."""

PRECISION = {"compute": "float32", "variables": "float32"}
"""The default where the states do not name the types of layers and variables."""


EFFECT = 0.05
"""Relative change of a loss that matters to its user, as for trajectories."""

LOST = 4.0
"""How many times its own rounding error the tolerance of a loss may be before nothing is said of the loss.

The rounding error alone is 12 % of a loss in bfloat16, more than ``EFFECT``. The loss is lost when the terms
that it is summed from are several times larger than it is.
"""


@dataclass(frozen=True)
class StepJudgement:
    """Factors of the tolerance of one step.

    Args:
        movement: how many times as far from float64 a backend may be as the float64 result itself moves when
            every number that goes into the step moves by one unit in the last place. A backend rounds after
            every operation and not only at the border, hence more than once.
        others: how many times as far from float64 as the nearest other backend.
        units: units in the last place, of the largest number of the kind, that a result may have lost in
            sums alone.
        terms: units in the last place of the largest output, at most 1, that a gradient may have lost. It is
            the mean over a batch of terms such as output minus target, and exponential functions are off by
            some units, to the same side for outputs that are alike. Terms may cancel, such errors do not.
    """

    movement: float = 8.0
    others: float = 4.0
    units: float = 16.0
    terms: float = 4.0


@dataclass(frozen=True)
class _Part:
    """One kind of result of one state on one backend."""

    error: float
    tolerance: float
    place: str
    reason: str
    lost: bool


def judge_steps(
    folder: Path, cell: Cell, backends: Sequence[str], judgement: StepJudgement | None = None
) -> list[Comparison]:
    """Hold every backend's steps against float64.

    Args:
        folder: holds ``names.json``, the states, and a folder of results for each backend and the judge.
        cell: the reference cell whose states were recorded.
        backends: those that are judged.
        judgement: what tolerances rest on.

    Returns:
        A comparison for each state, kind and backend.
    """
    settings = judgement or StepJudgement()
    names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    found = []
    for path in sorted(folder.glob("state-*.npz")):
        with np.load(path, allow_pickle=False) as state:
            step, epoch = state["place"].tolist()
        exact = _read(folder / JUDGE / path.name)
        results = {backend: _read(folder / backend / path.name) for backend in backends}
        names.setdefault("precision", PRECISION)
        for kind in KINDS:
            keys = [key for key in exact if key.startswith(f"{kind}/")]
            for backend, part in _parts(kind, keys, exact, results, names, settings):
                comparison = _comparison(cell, backend, kind, step, epoch, part)
                if kind == "update" and comparison.verdict is Agreement.DIFFERS:
                    comparison = _of_optimizer(comparison, part.place, names)
                found.append(comparison)
    return found


def _of_optimizer(comparison: Comparison, variable: str, names: Mapping[str, Any]) -> Comparison:
    """The comparison with the variable that the optimizer moves otherwise, and the gap that explains it."""
    owners: Mapping[str, str] = dict(zip(names["gradient"], names.get("owners", ()), strict=False))
    optimizer, owner = names.get("optimizer", ""), owners.get(variable, "")
    gap = known_gap(comparison.backend, [f"{optimizer}:{owner}", optimizer], "update")
    return replace(comparison, layer=variable, known_gap=gap)


def _parts(
    kind: str,
    keys: Sequence[str],
    exact: Mapping[str, NDArray[Any]],
    results: Mapping[str, Mapping[str, NDArray[Any]]],
    names: Mapping[str, Any],
    settings: StepJudgement,
) -> Iterator[tuple[str, _Part]]:
    """For each backend, the tensor of this kind that uses the largest share of its tolerance."""
    if not keys:
        return
    scale = _scale(kind, keys, exact)
    kept = _precision(kind, names["precision"])
    rounding = settings.units * UNITS[kept] * max(scale, 1e-30)
    output = settings.terms * UNITS[kept] * _output(exact) if kind == "gradient" else 0.0
    knowable = max(EFFECT, LOST * settings.units * UNITS[kept])
    overflown = {key: _overflown([each.get(key) for each in results.values()]) for key in keys}
    errors = {
        backend: {key: _distance(result.get(key), exact[key], overflown[key]) for key in keys}
        for backend, result in results.items()
    }
    for backend, mine in errors.items():
        worst: _Part | None = None
        for key in keys:
            nearest = min((other[key] for b, other in errors.items() if b != backend), default=0.0)
            choices = {
                f"{settings.units:g} units of {kept} rounding": rounding,
                f"{settings.terms:g} units of {kept} rounding of the outputs": output,
                f"{settings.movement:g} x what one unit in the last place moves float64": (
                    settings.movement * float(exact[f"move/{key}"])
                ),
                f"{settings.others:g} x the nearest other backend's distance": (
                    settings.others * nearest if np.isfinite(nearest) else 0.0
                ),
            }
            reason, tolerance = max(choices.items(), key=lambda item: item[1])
            bound = knowable * _largest(exact, [key])
            lost = kind == "loss" and mine[key] > 0 and tolerance > bound
            part = _Part(mine[key], tolerance, _place(key, names), reason, lost)
            if worst is None or part.error / part.tolerance > worst.error / worst.tolerance:
                worst = part
        if worst is not None:
            yield backend, worst


def _scale(kind: str, keys: Sequence[str], exact: Mapping[str, NDArray[Any]]) -> float:
    """The size of the terms that a kind of result is summed from, which rounding errors are relative to.

    Gradients share one scale: a small one is a sum in which large ones cancel. A loss or metric is
    computed from the outputs. Where they are near a target, its value is far smaller than the terms: the
    logarithm of a probability that is 1 but for 1e-7 carries the rounding error of 1.
    """
    scale = _largest(exact, keys)
    return max(scale, _output(exact)) if kind in ("loss", "metric") else scale


def _output(exact: Mapping[str, NDArray[Any]]) -> float:
    """The largest output; at most 1, as for probabilities.

    A bound on any loss would be far too wide for large outputs.
    """
    return min(1.0, _largest(exact, [key for key in exact if key.startswith("outputs/")]))


def _largest(exact: Mapping[str, NDArray[Any]], keys: Sequence[str]) -> float:
    """The largest of the finite numbers."""
    return max(
        (
            float(np.max(np.abs(exact[key]), initial=0.0, where=np.isfinite(exact[key])))
            for key in keys
        ),
        default=0.0,
    )


def _precision(kind: str, precision: Mapping[str, str]) -> str:
    """The type that a kind of result is computed in.

    The optimizer computes in the type of the variables, from given gradients; metrics are float32, from
    given outputs. All else rests on the forward pass.
    """
    return {"update": precision["variables"], "metric": "float32"}.get(kind, precision["compute"])


def _overflown(arrays: Sequence[NDArray[Any] | None]) -> NDArray[np.bool_]:
    """Where no backend has a finite number, though float64, whose range is larger, may have one."""
    shapes = {None if each is None else each.shape for each in arrays}
    if len(arrays) == 1 or len(shapes) > 1 or None in shapes:
        return np.zeros((), bool)
    lost: NDArray[np.bool_] = np.all(
        [~np.isfinite(each) for each in arrays if each is not None], axis=0
    )
    return lost


def _distance(
    array: NDArray[Any] | None, exact: NDArray[Any], overflown: NDArray[np.bool_]
) -> float:
    if array is None or array.shape != exact.shape:
        return float("inf")
    finite = np.isfinite(exact) & ~overflown
    # A number that is not finite must not be so at the same places.
    if np.any(np.isfinite(array) != finite):
        return float("inf")
    with np.errstate(invalid="ignore"):
        between = np.abs(array.astype(np.float64) - exact)
    return float(np.max(between, initial=0.0, where=finite))


def _place(key: str, names: Mapping[str, Any]) -> str:
    """The variable's path or the metric's name; empty where the kind has one member."""
    kind, _, member = key.partition("/")
    if kind == "metric":
        return member
    known: Sequence[str] = names.get("gradient" if kind == "update" else kind, ())
    return known[int(member)] if known else ""


def _comparison(
    cell: Cell, backend: str, kind: str, step: int, epoch: int, part: _Part
) -> Comparison:
    differs = part.error > part.tolerance
    # Nothing is said of a loss that is smaller than the rounding errors of its terms.
    verdict = Agreement.UNDECIDABLE if part.lost else Agreement.AGREES
    where = f" of {part.place}" if part.place and differs else ""
    return Comparison(
        level=1,
        experiment=cell.experiment,
        variant=cell.variant,
        quantity=f"{kind}{where}",
        epoch=epoch,
        reference=JUDGE,
        backend=backend,
        pipeline=cell.pipeline,
        difference=part.error,
        tolerance=part.tolerance,
        smallest_passing=part.error,
        verdict=Agreement.DIFFERS if differs else verdict,
        why=("finite on one side only" if np.isinf(part.error) else part.reason)
        + f"; one step from the state after {step} steps"
        + (f", worst in {part.place}" if part.place else ""),
        step=step,
    )


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as held:
        return {key: held[key] for key in held.files}
