"""Check the types of a result file, which may be damaged in any way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]


def find_fault(value: Any) -> str:
    """The first field of a result file that is missing or wrong, in words; empty if all are right."""
    if not isinstance(value, dict):
        return f"it should hold an object; it holds {type(value).__name__}"
    fault = _first_fault(value, _RESULT, "")
    if not fault:
        fault = _first_fault(value["cell"], _CELL, "cell.")
    if not fault and set(value["cell"]) - set(_CELL):
        fault = "cell has fields that no cell has"
    if not fault and value["outcome"]:
        fault = _first_fault(value["outcome"], _OUTCOME, "outcome.")
    if not fault and value["status"] == "ok":
        fault = _contradiction(value)
    return fault


def _contradiction(value: Mapping[str, Any]) -> str:
    if not value["outcome"]:
        return "its status is ok and it holds no outcome"
    epochs = value["cell"]["epochs"]
    for name, points in value["outcome"]["history"].items():
        if epochs is not None and len(points) > epochs:
            return f"outcome.history.{name} has {len(points)} values for {epochs} epochs"
    return ""


def _first_fault(value: Mapping[str, Any], fields: Mapping[str, Check], prefix: str) -> str:
    for name, check in fields.items():
        if name not in value:
            return f"{prefix}{name} is missing"
        if not check(value[name]):
            shown = repr(value[name])
            return f"{prefix}{name} is {shown if len(shown) < 60 else shown[:57] + '...'}"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_number(value: Any) -> bool:
    """A number that float64 holds; what is not finite is for another check."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_duration(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _object_of(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_example(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("text"))
        and all(
            value.get(name) is None or _is_number(value[name]) for name in ("probability", "label")
        )
    )


_RESULT: Mapping[str, Check] = {
    "fingerprint": _is_text,
    "cell": _is_object,
    "status": lambda value: (
        value
        in (
            "ok",
            "failed",
            "diverged",
            "invalid",
            "crashed",
            "timed out",
            "unavailable",
            "interrupted",
        )
    ),
    "reason": _is_text,
    "seconds": _or_none(_is_duration),
    "peak_memory_bytes": _or_none(_is_count),
    "outcome": _is_object,
    "environment": _is_object,
    "identity": _is_object,
    "device_peak_memory_bytes": _or_none(_is_count),
}
_CELL: Mapping[str, Check] = {
    **dict.fromkeys(
        ("experiment", "variant", "backend", "pipeline", "device", "engine", "data"), _is_text
    ),
    "replica": _is_count,
    "epochs": _or_none(_is_count),
    "seed": _is_count,
    "trust": _is_flag,
}
_OUTCOME: Mapping[str, Check] = {
    "history": _object_of(_list_of(_or_none(_is_number))),
    "final": _object_of(_or_none(_is_number)),
    "digests": _object_of(_is_text),
    "engine": _is_text,
    "engine_reason": _is_text,
    "compile_seconds": _or_none(_is_duration),
    "epochs": _is_count,
    "parameters": _is_count,
    "samples": _object_of(_is_count),
    "real_data": _is_flag,
    "examples": _list_of(_is_example),
}
