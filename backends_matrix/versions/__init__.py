"""The compatibility table as data, and what was verified of it."""

from backends_matrix.versions.finding import Finding, judge_file
from backends_matrix.versions.record import VERIFIED, read_verified
from backends_matrix.versions.rows import Outcome, Row, Table, Tag, VersionsError, load
from backends_matrix.versions.verify import keep, verify_rows

__all__ = [
    "VERIFIED",
    "Finding",
    "Outcome",
    "Row",
    "Table",
    "Tag",
    "VersionsError",
    "judge_file",
    "keep",
    "load",
    "read_verified",
    "verify_rows",
]
