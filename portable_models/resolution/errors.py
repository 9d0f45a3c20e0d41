"""What is raised where a name, config or object cannot be resolved."""

from __future__ import annotations


class UnknownNameError(ValueError):
    """A name that stands for nothing, or an object of another kind."""


class ArgumentsError(ValueError):
    """A name that stands for something which these arguments do not make."""
