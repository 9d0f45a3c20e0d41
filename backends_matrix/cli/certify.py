"""``portable certify``: equivalence of trainings, shown over seeds."""

from __future__ import annotations

from backends_matrix.certify.command import certify as command

__all__ = ["command"]
