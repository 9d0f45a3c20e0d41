"""What can go wrong before an artifact exists, one type for each answer a caller can give."""

from __future__ import annotations


class ExportError(ValueError):
    """The call is wrong: an unknown target, a path that exists, a file that is no model."""


class MissingPackageError(RuntimeError):
    """A package that the route needs is not installed; the message names the extra to install."""


class RefusedError(Exception):
    """The target cannot hold this model, whatever the route; the message says why."""
