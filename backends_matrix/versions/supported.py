"""Which releases of Keras the library runs on: the rows of ``supported.toml``, and the checks of a row."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from backends_matrix.versions import library
from backends_matrix.versions.rows import EXACT, VersionsError

TABLE = Path(__file__).parent / "supported.toml"
PROGRAM = Path(library.__file__)
BACKENDS = ("jax", "tensorflow", "torch")
TIMEOUT = 1800.0
"""Seconds after which a command is given up; most take one or two minutes."""

STUDY = (
    *("matrix", "boston", "--variant", "kfold", "--variant", "final"),
    *("--epochs", "2", "--data", "sample"),
)
"""Arguments of ``portable``: folds that are trained together, and a training that is tested."""

NAMES = ("keras", "keras-nightly", "jax", "tensorflow-cpu", "torch", "numpy")
"""Packages whose installed versions are recorded."""

DETAIL = 300
"""Characters of an error that are kept."""


@dataclass(frozen=True, kw_only=True)
class Supported:
    """One environment that the library is tried in.

    Args:
        name: what ``nox -s "supported(NAME)"`` takes.
        python: Python's version, such as ``"3.11"``.
        keras: Keras as an exact pin, installed without its dependencies.
        others: exact pins that are installed after it, with their dependencies.
        fails: check -> a part of its error, where it is expected to fail.
        differs: sentences on what this environment computes otherwise.
    """

    name: str
    python: str
    keras: str
    others: tuple[str, ...] = ()
    fails: Mapping[str, str] = field(default_factory=dict)
    differs: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """The version of Keras."""
        return self.keras.partition("==")[2]

    @property
    def varies_keras(self) -> bool:
        """Whether the frameworks and Python are the tested ones, so that the row tells of Keras alone."""
        return not self.others and self.name.startswith("keras-")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What was found in a row's environment.

    Args:
        row: its name.
        checks: check -> ``{"holds": bool, "detail": str}``.
        packages: installed versions.
        python: version of Python.
        platform: operating system and machine.
        date: day of the run, as in ISO 8601.
    """

    row: str
    checks: Mapping[str, Mapping[str, Any]]
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    platform: str = field(default_factory=lambda: f"{platform.system()} {platform.machine()}")
    date: str = field(default_factory=lambda: datetime.date.today().isoformat())

    @property
    def holds(self) -> bool:
        """Whether every check held."""
        return bool(self.checks) and all(each["holds"] for each in self.checks.values())


def load_supported(path: Path = TABLE) -> dict[str, Supported]:
    """The rows of a file like ``supported.toml``, by name and in order.

    Raises:
        VersionsError: a row that is not sound; the message names it.
    """
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    known = {each.name for each in fields(Supported)}
    rows: dict[str, Supported] = {}
    for given in text.get("rows", []):
        whole = text.get("defaults", {}) | given
        name = whole.get("name", "without a name")
        unknown = sorted(set(whole) - known)
        missing = sorted({"name", "python", "keras"} - set(whole))
        if unknown or missing or name in rows:
            raise VersionsError(
                f"row {name!r}: unknown keys {unknown}, missing keys {missing}, or there twice; "
                f"expected each name once, with {sorted(known)}"
            )
        for pin in (whole["keras"], *whole.get("others", ())):
            if not EXACT.fullmatch(pin):
                raise VersionsError(
                    f"row {name!r}: {pin!r} is no exact pin, expected PACKAGE==VERSION"
                )
        rows[name] = Supported(
            **whole | {key: tuple(whole[key]) for key in ("others", "differs") if key in whole}
        )
    return rows


def try_row(
    row: Supported, python: Path, folder: Path, announce: Callable[[str], None] = lambda line: None
) -> Tried:
    """Run every check in the environment of this Python.

    Args:
        row: what was installed there.
        python: the environment's interpreter.
        folder: an empty folder for what the checks write.
        announce: called with a line for each check.
    """
    checks: dict[str, Mapping[str, Any]] = {}
    report: dict[str, Any] = {}
    for part in ("train", "read"):
        for backend in BACKENDS:
            report = _run_library(python, folder, part, backend)
            for name, found in report["checks"].items():
                checks[f"{name} {backend}"] = found
                announce(f"{name} {backend}: {found['detail']}")
    for name, check in (("study", _check_study), ("export", _check_export)):
        checks[name] = check(python, folder)
        announce(f"{name}: {checks[name]['detail']}")
    packages = {_normalise(name): version for name, version in report.get("packages", {}).items()}
    return Tried(
        row=row.name,
        checks=checks,
        packages={name: packages[name] for name in NAMES if name in packages},
        python=report.get("python", ""),
    )


def find_surprises(row: Supported, tried: Tried) -> list[str]:
    """What is not as the row expects, a line for each check."""
    surprises = []
    for name, found in tried.checks.items():
        reason = row.fails.get(name)
        if found["holds"] and reason is not None:
            surprises.append(f"{name} holds now: remove it from fails")
        elif not found["holds"] and (reason is None or reason not in found["detail"]):
            surprises.append(f"{name} fails: {found['detail']}")
    version = tried.packages.get(row.keras.partition("==")[0], "nothing")
    if version != row.release:
        surprises.append(f"ran with Keras {version}, the row asks for {row.keras}")
    return surprises


def find_bound(rows: Iterable[Supported], findings: Mapping[str, Tried]) -> str:
    """The requirement on Keras that follows from the rows in which every check held.

    From the oldest such release up to, not including, the minor release after the newest; empty if there
    is no such row.
    """
    releases = sorted(
        tuple(int(part) for part in row.release.split(".")[:3])
        for row in rows
        if row.varies_keras and row.name in findings and findings[row.name].holds
    )
    if not releases:
        return ""
    major, minor, _ = releases[-1]
    return f"keras>={'.'.join(map(str, releases[0]))},<{major}.{minor + 1}"


def _run_library(python: Path, folder: Path, part: str, backend: str) -> dict[str, Any]:
    report = folder / f"{part}-{backend}.json"
    command = [str(python), str(PROGRAM), part, str(folder), str(report), "--backend", backend]
    done = _run(command, {"KERAS_BACKEND": backend})
    try:
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {"checks": {part: {"holds": False, "detail": _last_line(done)}}}
    return found


def _check_study(python: Path, folder: Path) -> dict[str, Any]:
    out = folder / "matrix"
    done = _run([str(python), "-m", "backends_matrix", *STUDY, "--out", str(out)], {})
    try:
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"holds": False, "detail": _last_line(done)}
    cells = [each["status"] for each in report["cells"]]
    detail = f"verdict {report['verdict']}, {cells.count('ok')} of {len(cells)} trainings"
    holds = done.returncode == 0 and report["verdict"] == "agree" and set(cells) == {"ok"}
    if not holds:
        reasons = [each["reason"] for each in report["cells"] if each["reason"]]
        detail = "; ".join([detail, *reasons[:1]])[:DETAIL]
    return {"holds": holds, "detail": detail}


def _check_export(python: Path, folder: Path) -> dict[str, Any]:
    source = folder / "jax.keras"
    given = ("export", str(source), "--to", "torch-module", "--out", str(folder / "exported"))
    done = _run([str(python), "-m", "backends_matrix", *given], {})
    if done.returncode:
        return {"holds": False, "detail": _last_line(done)}
    return {"holds": True, "detail": "a file of JAX as a PyTorch module, verified without Keras"}


def _run(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    quiet = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    try:
        return subprocess.run(
            command,
            env=dict(os.environ) | quiet | dict(environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        late = f"was still running after {TIMEOUT:.0f} seconds"
        return subprocess.CompletedProcess(command, 124, "", late)


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit status {done.returncode} without a word")[:DETAIL]


def _normalise(name: str) -> str:
    return name.replace("_", "-").lower()
