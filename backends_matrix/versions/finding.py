"""Judge whether a row of the versions table did what is expected of it."""

from __future__ import annotations

import datetime
import json
import math
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.versions.reference import expected
from backends_matrix.versions.rows import Api, Outcome, Row

Report = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The finding on a row.

    Args:
        row: its name.
        outcome: what the combination can do, or None where it could not be run.
        as_expected: whether the table says so too.
        detail: the error, the difference, or what does not fit, in one line.
        difference: largest distance of a loss from the float64 reference, or None without losses.
        packages: versions that were installed, by the names that the row pins, and NumPy's.
        python: version of Python.
        platform: operating system and machine.
        date: day of the run, as in ISO 8601.
    """

    row: str
    outcome: Outcome | None
    as_expected: bool
    detail: str = ""
    difference: float | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    platform: str = field(default_factory=lambda: f"{platform.system()} {platform.machine()}")
    date: str = field(default_factory=lambda: datetime.date.today().isoformat())


def judge_file(row: Row, path: Path) -> Finding:
    """Judge what ``smoke.py`` has written; no report, or half of one, means that it could not be run."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return not_run(row, "smoke.py ended without a report: it crashed, or was never started")
    return judge(row, report)


def not_run(row: Row, why: str) -> Finding:
    """The finding where a row could not be tried at all."""
    return Finding(row=row.name, outcome=None, as_expected=False, detail=why)


def judge(row: Row, report: Report) -> Finding:
    """Compare a report of ``smoke.py`` with the float64 reference and with what the row expects."""
    outcome, detail, difference = _outcome(row, report)
    fits = outcome is row.expected and row.reason in detail
    if not fits:
        reason = f" ({row.reason})" if row.reason else ""
        detail = f"{detail or 'it works now'}; the table expects: {row.expected}{reason}"
    foreign = _foreign(row, report)
    return Finding(
        row=row.name,
        outcome=outcome,
        as_expected=fits and not foreign,
        detail=foreign or detail,
        difference=difference,
        packages=_packages(row, report),
        python=report.get("python", ""),
    )


def _outcome(row: Row, report: Report) -> tuple[Outcome, str, float | None]:
    if "error" in report:
        return Outcome.FAILS, " ".join(str(report["error"]).split()), None
    reference = expected()
    pairs = [(report["untrained"], reference.untrained)]
    if "fit_error" not in report:
        found = [*report["losses"], report["evaluate"]]
        if len(report["losses"]) != len(reference.losses):
            count = f"{len(report['losses'])} epochs were trained, {len(reference.losses)} expected"
            return Outcome.FAILS, count, None
        pairs += zip(found, [*reference.losses, reference.evaluate], strict=True)
    distances = [abs(found - right) for found, right in pairs]
    # NaN is on neither side of a tolerance, so it is asked for by name.
    largest = math.nan if any(map(math.isnan, distances)) else max(distances)
    if not largest <= row.tolerance:
        numbers = ", ".join(f"{found:.6f} for {right:.6f}" for found, right in pairs)
        detail = f"losses are off by {largest:.1e}, {row.tolerance:.0e} allowed: {numbers}"
        return Outcome.FAILS, detail, largest
    if "fit_error" in report:
        return Outcome.INFERENCE, str(report["fit_error"]), largest
    return Outcome.WORKS, "", largest


def _foreign(row: Row, report: Report) -> str:
    """The version that ran although the row asks for another, or an empty text."""
    origin = "tf_keras" if row.api is Api.LEGACY else "keras"
    reached = str(report.get("keras", origin))
    if reached.partition(" ")[0] != origin:
        return f"{row.api} is {reached}, the row asks for {origin}"
    if report.get("backend", row.backend) != row.backend:
        return f"ran on the {report['backend']} backend, the row asks for {row.backend}"
    installed = _packages(row, report)
    for name, version in _pins(row).items():
        # A local version such as +cpu names a build, not another release.
        if installed.get(name, "").partition("+")[0] != version:
            found = installed.get(name, "nothing")
            return f"ran with {name} {found}, the row asks for {version}"
    return ""


def _pins(row: Row) -> dict[str, str]:
    pinned = [each for each in (*row.packages, *row.without_dependencies) if "==" in each]
    return {
        _normalised(name.partition("[")[0]): version
        for name, _, version in (each.partition("==") for each in pinned)
    }


def _packages(row: Row, report: Report) -> dict[str, str]:
    asked = {re.split(r"[\[=<>~!]", each)[0] for each in (*row.packages, *row.without_dependencies)}
    wanted = {_normalised(name) for name in asked} | {"keras", "numpy"}
    installed = {_normalised(name): version for name, version in report.get("packages", {}).items()}
    return {name: installed[name] for name in sorted(wanted & set(installed))}


def _normalised(name: str) -> str:
    """The name of a package as its index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
