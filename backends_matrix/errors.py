"""The errors that a command turns into one line and an exit code."""

from __future__ import annotations


class CallError(Exception):
    """The call is wrong: exit code 2. The message says what was expected, what came, and what to do."""


class RunError(Exception):
    """Nothing could be run: exit code 3."""
