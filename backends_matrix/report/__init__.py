"""The report of a run: a JSON document, validated, and rendered for people and machines."""

from backends_matrix.report.document import Document, ReportError, read, validate, write
from backends_matrix.report.render import render_all
from backends_matrix.report.terminal import show

__all__ = ["Document", "ReportError", "read", "render_all", "show", "validate", "write"]
