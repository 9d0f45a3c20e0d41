"""The command ``portable``: one file for each of its commands."""

from backends_matrix.cli.program import main

__all__ = ["main"]
