"""Small made-up data sets: every call draws the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def regression(rows: int = 37, features: int = 5) -> tuple[Any, Any]:
    """Features and a noisy linear target of shape (rows, 1), float32."""
    draw = rng(1)
    x = draw.normal(size=(rows, features))
    y = x @ draw.normal(size=(features, 1)) + 0.1 * draw.normal(size=(rows, 1))
    return x.astype("float32"), y.astype("float32")


def binary(rows: int = 37, features: int = 5) -> tuple[Any, Any]:
    """Features and labels 0 or 1 of shape (rows,), float32."""
    x, y = regression(rows, features)
    return x, (y[:, 0] > 0).astype("float32")


def classes(rows: int = 37, features: int = 5, kinds: int = 3) -> tuple[Any, Any]:
    """Features and labels below ``kinds`` of shape (rows,), int64."""
    x, _ = regression(rows, features)
    return x, np.argmax(x[:, :kinds] + 0.3 * rng(2).normal(size=(rows, kinds)), axis=1)


def images(rows: int = 26, size: int = 8, channels: int = 1, kinds: int = 3) -> tuple[Any, Any]:
    """uint8 images with a bright stripe, and which of the stripes it is."""
    draw = rng(3)
    y = draw.integers(0, kinds, rows)
    x = draw.integers(0, 120, (rows, size, size, channels))
    for row, kind in enumerate(y):
        x[row, 2 * kind : 2 * kind + 2] += 120
    return x.astype("uint8"), y


def floats(rows: int = 26, size: int = 8, channels: int = 1, kinds: int = 3) -> tuple[Any, Any]:
    """The same images as float32 between 0 and 1."""
    x, y = images(rows, size, channels, kinds)
    return x.astype("float32") / 255, y


def sentences(rows: int = 30, length: int = 7, words: int = 20) -> tuple[Any, Any]:
    """Word ids, padded with 0 behind, and a label 0 or 1: int32 and float32."""
    draw = rng(4)
    x = draw.integers(1, words, (rows, length))
    for row in range(rows):
        x[row, draw.integers(2, length + 1) :] = 0
    return x.astype("int32"), (x[:, 0] > words // 2).astype("float32")


def series(rows: int = 34, steps: int = 8, features: int = 2) -> tuple[Any, Any]:
    """Noisy sines and the value that follows: (rows, steps, features) and (rows, 1), float32."""
    phase = np.arange(rows)[:, None, None] * 0.4 + np.arange(features) * 1.3
    wave = np.sin(phase + 0.7 * np.arange(steps + 1)[None, :, None])
    wave += 0.05 * rng(5).normal(size=wave.shape)
    return wave[:, :-1].astype("float32"), wave[:, -1, :1].astype("float32")
