"""Numbers and verdicts in words, the same in every rendering."""

from __future__ import annotations

import math
from datetime import datetime

from backends_matrix.report.records import Comparison, Verdict

LEVELS = {
    0: ("exact", "digests of data, order, initial weights and random bits are equal"),
    1: ("one step", "one step from one state, compared with the same step computed in float64"),
    2: ("trajectory", "metrics per epoch, within a noise floor measured by replicas"),
}
NOTHING = "–"
_MOST_DIGITS = 7


def value(number: float | None) -> str:
    """A metric, with about five digits that matter."""
    if number is None:
        return NOTHING
    size = abs(number)
    if size >= 1e5 or (0 < size < 1e-3):
        return scientific(number, 3)
    decimals = 5 if size < 10 else 4 if size < 100 else 3 if size < 1000 else 1
    return f"{number:.{decimals}f}"


def scientific(number: float | None, digits: int = 2) -> str:
    """A number such as ``2.1e-3``: ``digits`` in all, no padding of the exponent; 0 is ``0``."""
    if number is None:
        return NOTHING
    if number == 0:
        return "0"
    if not math.isfinite(number):
        return str(number)
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}" if int(exponent) else mantissa


def rounded_up(number: float | None) -> str:
    """As :func:`scientific`, but never below the number: a tolerance that is said to pass must."""
    text = scientific(number)
    if number is not None and number > 0 and float(text) < number:
        step = 10.0 ** (math.floor(math.log10(number)) - 1)
        text = scientific(float(text) + step)
    return text


def measured_against(comparison: Comparison) -> str:
    """Difference and tolerance, for instance ``2.1e-3 > 4.0e-5``, with digits enough to differ."""
    difference, tolerance = comparison.difference, comparison.tolerance
    if comparison.level == 0 or difference is None or tolerance is None:
        return "not equal" if comparison.verdict is Verdict.DIFFERS else "equal"
    sign = ">" if difference > tolerance else "≤"
    texts = scientific(difference), scientific(tolerance)
    for digits in range(3, _MOST_DIGITS):
        if texts[0] != texts[1] or difference == tolerance:
            break
        texts = scientific(difference, digits), scientific(tolerance, digits)
    return f"{texts[0]} {sign} {texts[1]}"


def share_text(comparison: Comparison | None) -> str:
    """The share of the tolerance that the worst comparison takes: ``31 % of tolerance (loss)``."""
    if comparison is None:
        return ""
    share, of = comparison.share, f"tolerance ({comparison.quantity})"
    if share == 0:
        return "every number is equal"
    if not math.isfinite(share):
        known = comparison.difference is not None
        return f"{words(comparison.quantity)} {'not equal' if known else 'is no number'}"
    if share >= 10:
        return f"{share:,.0f} x its {of}" if share < 1e5 else f"{scientific(share)} x its {of}"
    return f"{part(share)} of {of}"


def part(share: float) -> str:
    """A share in whole per cent, and never ``0 %`` of what is not zero."""
    return "below 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: ``1 cell``, ``2 cells``, ``1,200 cells``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """Seconds as ``0.42 s``, ``12.3 s``, ``3 min 20 s`` or ``2 h 05 min``."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def memory(number: int | None) -> str:
    """Bytes as ``812 MiB`` or ``1.4 GiB``."""
    if number is None:
        return NOTHING
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"


def words(name: str) -> str:
    """A key in words: ``initial_weights`` is ``initial weights``."""
    return name.replace("_", " ")


def holds(value: bool | None) -> str:
    """A claim's truth value in words."""
    return {True: "yes", False: "no", None: "not evaluated"}[value]


def moment(created: str) -> str:
    """An ISO date and time as ``2026-02-03 14:05 UTC``; as it is if it is none."""
    try:
        when = datetime.fromisoformat(created)
    except ValueError:
        return created
    return f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()


def with_thousands(number: int | None) -> str:
    """A whole number with its thousands apart: ``160,305``."""
    return NOTHING if number is None else f"{number:,}"
