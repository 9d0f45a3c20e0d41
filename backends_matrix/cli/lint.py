"""``portable lint``: the author's mistakes found by reading."""

from __future__ import annotations

from backends_matrix.lint.command import lint as command

__all__ = ["command"]
