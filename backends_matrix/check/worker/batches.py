"""The rows that training sees, as Keras takes them."""

from __future__ import annotations

from typing import Any

import keras

from backends_matrix.check.worker.subject import Subject


def batch_of(subject: Subject, x: Any = None) -> tuple[Any, ...]:
    """``(x,)`` or ``(x, y)`` of all rows."""
    arrays = subject.arrays(subject.x if x is None else x)
    return (arrays,) if subject.y is None else (arrays, subject.arrays(subject.y))


def first_rows(subject: Subject) -> tuple[Any, ...]:
    """The first batch of ``fit``: of the shape that is compiled already."""
    return tuple(
        keras.tree.map_structure(lambda leaf: None if leaf is None else leaf[: subject.part], each)
        for each in batch_of(subject)
    )


def first_tensors(subject: Subject) -> tuple[Any, ...]:
    """The first batch as tensors: PyTorch's ``train_on_batch`` hands arrays on as they are."""
    return tuple(subject.tensors(each) for each in first_rows(subject))
