"""Forked processes: a fork copies a framework's locks and memory, but not its threads."""

from __future__ import annotations

import os

_computed_in: int | None = None
"""The process in which this library computed first."""


def refuse_after_fork() -> None:
    """Say so where computing would wait for ever; to be called before anything is computed.

    Seen with keras 3.15.1: after one operation in the parent, the first operation in a forked child hangs on
    JAX 0.10.2, TensorFlow 2.21 and (with more than one thread) PyTorch 2.13. A fork of a process that has
    only imported them is sound.

    Raises:
        RuntimeError: this process was forked from one in which this library had computed.
    """
    global _computed_in
    if _computed_in is None:
        _computed_in = os.getpid()
    elif _computed_in != os.getpid():
        raise RuntimeError(
            "this process was forked from one that had already computed with Keras, and computing here would "
            "hang: a fork does not copy the threads of JAX, TensorFlow or PyTorch. Start processes with "
            "multiprocessing.get_context('spawn'), or fork before the first model is built"
        )
