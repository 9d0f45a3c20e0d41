"""Judge ``portable_models.fit`` by ``Model.fit``, program by program.

    python tests/training_programs/compare.py --backend jax --engine compiled [NAME ...]

prints what ran, why it was not compiled, and the worst difference; ``--floor`` prints how far a training is
moved by a difference in the last bit of its first weights, which the tolerances rest on.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = float(np.finfo("float32").eps)

ROUNDINGS_PER_STEP = 64
"""Rounding errors of one step that may add up in one number: a program that is compiled as a whole sums in
another order, and a step of these programs adds up some tens of products in a row. They grow with the number
of steps, since each step starts from what the last one gave. ``--floor`` measures the same growth."""


@dataclass(frozen=True)
class Difference:
    """One quantity in which two runs are not the same.

    Args:
        where: path of the quantity.
        size: the difference relative to the quantity's scale; infinite where it is none of rounding.
        tolerance: what rounding explains.
        what: both values, for the reader.
    """

    where: str
    size: float
    tolerance: float
    what: str = ""

    @property
    def counts(self) -> bool:
        """Whether rounding does not explain it."""
        return not self.size <= self.tolerance


def tolerance_of(steps: int, sensitivity: float = 1.0) -> float:
    """What rounding in float32 explains after so many steps, relative to a quantity's scale."""
    return ROUNDINGS_PER_STEP * EPS * max(1, steps) * sensitivity


def differences(
    reference: Any, other: Any, tolerance: float, where: str = ""
) -> Iterator[Difference]:
    """All differences between two observations, those that rounding explains included."""
    if isinstance(reference, dict) and isinstance(other, dict):
        if list(reference) != list(other):
            same = set(reference) == set(other)
            words = "in another order: " if same else ""
            yield Difference(
                f"{where} keys", np.inf, 0.0, f"{words}{list(reference)} / {list(other)}"
            )
        for key in reference:
            if key in other:
                yield from differences(reference[key], other[key], tolerance, f"{where}/{key}")
    elif isinstance(reference, list) and isinstance(other, list):
        if len(reference) != len(other):
            words = f"{len(reference)} / {len(other)} entries"
            yield Difference(f"{where} length", np.inf, 0.0, words)
        for index, (one, two) in enumerate(zip(reference, other, strict=False)):
            yield from differences(one, two, tolerance, f"{where}[{index}]")
    elif _is_number(reference) and _is_number(other):
        yield _number_difference(np.asarray(reference), np.asarray(other), tolerance, where)
    elif reference != other:
        yield Difference(where, np.inf, 0.0, f"{reference!r} / {other!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.ndarray, np.generic)) and not isinstance(value, bool)


def _number_difference(one: Any, two: Any, tolerance: float, where: str) -> Difference:
    if one.shape != two.shape:
        return Difference(f"{where} shape", np.inf, 0.0, f"{one.shape} / {two.shape}")
    exact = one.dtype.kind in "iub" and two.dtype.kind in "iub"
    if {one.dtype.kind, two.dtype.kind} & set("SUO"):
        return Difference(where, 0.0 if (one == two).all() else np.inf, 0.0, f"{one} / {two}")
    a, b = one.astype("float64"), two.astype("float64")
    if not a.size:
        return Difference(where, 0.0, tolerance)
    if (np.isfinite(a) != np.isfinite(b)).any() or (np.isnan(a) != np.isnan(b)).any():
        return Difference(where, np.inf, 0.0, f"{a} / {b}: not finite at the same places")
    finite = np.isfinite(a)
    a, b = a[finite], b[finite]
    if not a.size:
        return Difference(where, 0.0, tolerance)
    gap = np.abs(a - b).max()
    if exact:
        return Difference(where, 0.0 if gap == 0 else np.inf, 0.0, f"{one} / {two}")
    # Relative to the largest entry: small entries of an array are sums of large terms that cancel. Losses
    # and weights of the corpus are of order 1; what is smaller is judged at a hundredth of that.
    scale = max(np.abs(a).max(), np.abs(b).max(), 1e-2)
    worst = int(np.abs(a - b).argmax())
    return Difference(
        where, float(gap / scale), tolerance, f"{a.flat[worst]:.9g} / {b.flat[worst]:.9g}"
    )


def judge(reference: Any, other: Any, sensitivity: float = 1.0) -> list[Difference]:
    """The differences between two runs, the largest first; see ``Difference.counts``."""
    tolerance = tolerance_of(reference.steps, sensitivity)
    found = list(differences(reference.seen, other.seen, tolerance))
    return sorted(found, key=lambda each: (each.counts, each.size), reverse=True)


def report(found: list[Difference]) -> str:
    """What counts, in lines."""
    return "\n".join(
        f"{each.where}: {each.what} (difference {each.size:.2g}, tolerance {each.tolerance:.2g})"
        for each in found
        if each.counts
    )


def last_bit(model: Any, fits: list[dict[str, Any]]) -> None:
    """Change every weight of a model in its last bit: a difference as small as rounding makes."""
    del fits
    for number, variable in enumerate(model.trainable_variables):
        value = np.array(variable.numpy())
        ends = np.where(np.random.default_rng(number).random(value.shape) < 0.5, -np.inf, np.inf)
        near = np.nextafter(value, ends.astype(value.dtype))
        # A zero is no rounded number: it stays, as biases do, which put a ReLU exactly at its corner.
        variable.assign(np.where(value == 0, value, near))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="programs, or the beginning of their names")
    parser.add_argument("--backend", default="jax", choices=("jax", "tensorflow", "torch"))
    parser.add_argument(
        "--engine",
        default="compiled",
        choices=("compiled", "keras", "model.fit"),
        help="what is judged",
    )
    parser.add_argument("--watch", action="store_true", help="with a callback that watches epochs")
    parser.add_argument("--shuffle", action="store_true", help="in an order drawn for each epoch")
    parser.add_argument(
        "--way",
        default="as it is",
        help="how short trainings are compiled all the same; see forcing.py",
    )
    parser.add_argument(
        "--floor", action="store_true", help="Model.fit, first weights off by a bit"
    )
    arguments = parser.parse_args()
    os.environ["KERAS_BACKEND"] = arguments.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # More threads add up in no fixed order.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")
    return table(arguments)


def table(arguments: argparse.Namespace) -> int:
    """Print one line for each program; 1 where one of them does not agree."""
    import reference
    from forcing import forced
    from observing import Watcher
    from programs import programs_of_this_backend

    failed = 0
    train = {
        "model.fit": reference.model_fit,
    }.get(arguments.engine) or reference.portable_fit(arguments.engine, shuffle=arguments.shuffle)
    by = reference.shuffled_model_fit if arguments.shuffle else reference.model_fit
    for name, program in programs_of_this_backend().items():
        if arguments.names and not any(name.startswith(each) for each in arguments.names):
            continue
        watcher = Watcher if arguments.watch else None
        try:
            expected = reference.run(program, by, watcher)
        except reference.NotPermutedError:
            continue
        except Exception as error:
            traceback.print_exc()
            print(f"{name:48} Model.fit FAILS: {type(error).__name__}", flush=True)
            failed += 1
            continue
        try:
            if arguments.floor:
                got = reference.run(program, reference.model_fit, watcher, last_bit)
            else:
                with forced(arguments.way):
                    got = reference.run(program, train, watcher)
        except Exception as error:
            traceback.print_exc()
            words = f"RAISES {type(error).__name__}: {str(error).splitlines()[0][:90]}"
            print(f"{name:48} {words}", flush=True)
            failed += 1
            continue
        found = judge(expected, got, program.sensitivity)
        bad = report(found)
        failed += bool(bad)
        size = max((each.size for each in found), default=0.0)
        limit = tolerance_of(expected.steps, program.sensitivity)
        print(
            f"{name:48} {got.engine:9} {size:8.1e} {size / limit:6.2f} "
            f"{'DIFFERS' if bad else 'agrees'}  {got.reason}",
            flush=True,
        )
        for line in [
            *bad.splitlines()[:4],
            *sorted(set(got.warnings) - set(expected.warnings))[:2],
        ]:
            print(f"    {line[:200]}", flush=True)
        if arguments.engine == "model.fit":
            for line in sorted(set(expected.warnings))[:3]:
                print(f"    reference warns: {line[:160]}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
