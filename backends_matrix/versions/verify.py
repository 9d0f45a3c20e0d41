"""Try rows of the versions table, each in an environment that is made for it and removed after."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from backends_matrix.versions import smoke
from backends_matrix.versions.finding import Finding, judge_file, not_run
from backends_matrix.versions.installation import EnvironmentFailedError, make
from backends_matrix.versions.record import page, write_verified
from backends_matrix.versions.rows import Row, Table, Tag, load

SMOKE = Path(smoke.__file__)
TIMEOUT = 600.0
"""Seconds after which a training that takes a few is given up."""


def verify_rows(
    names: Iterable[str] = (),
    tag: Tag | None = None,
    *,
    table: Table | None = None,
    record: Path | None = None,
    announce: Callable[[Row, Finding | None], None] = lambda row, finding: None,
) -> list[Finding]:
    """Make each row's environment, run ``smoke.py`` in it, judge what came out, remove it.

    Args:
        names: the rows to try.
        tag: the rows to try where no names are given; all where neither is.
        table: the versions table; the project's own if None.
        record: a JSON file that keeps what was found, and the folder's ``versions.md`` beside it.
        announce: called with each row before it is tried, and with its finding after.

    Raises:
        VersionsError: a name that is not in the table.
    """
    table = table or load()
    findings = []
    for row in table.select(names, tag):
        announce(row, None)
        finding = verify(row)
        announce(row, finding)
        findings.append(finding)
        if record is not None:
            keep(finding, table, record, record.with_name("versions.md"))
    return findings


def verify(row: Row) -> Finding:
    """Try one row in an environment of its own, which is removed after."""
    with tempfile.TemporaryDirectory(prefix=f"{row.name}-") as name:
        folder = Path(name)
        try:
            python = make(row, folder / "environment")
        except EnvironmentFailedError as error:
            return not_run(row, str(error))
        report = folder / "report.json"
        command = [str(python), "-I", str(SMOKE), *row.arguments(report)]
        try:
            subprocess.run(
                command,
                env=dict(os.environ) | row.environment(),
                cwd=folder,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return not_run(row, f"smoke.py was still running after {TIMEOUT:.0f} seconds")
        return judge_file(row, report)


def keep(finding: Finding, table: Table, verified: Path, document: Path) -> None:
    """Record a finding in ``verified`` and write the page ``document`` anew."""
    findings = write_verified([finding], verified)
    document.write_text(page(table, findings), encoding="utf-8")
