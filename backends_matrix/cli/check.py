"""``portable check``: anyone's Keras 3 model, proven portable or told why not."""

from __future__ import annotations

from backends_matrix.check.command import check as command

__all__ = ["command"]
