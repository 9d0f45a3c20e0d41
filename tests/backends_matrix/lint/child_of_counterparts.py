"""Evaluates expressions of frameworks and those of keras.ops in their place, and writes the numbers."""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import tensorflow as tf
import torch

X = np.array([[-0.9, -0.25, 0.5], [0.75, 0.1, -0.6]], "float32")
Y = np.array([[0.5, 2.0, -1.5], [0.75, -0.3, 1.0]], "float32")
TENSORS = {"np": np.asarray, "tf": tf.constant, "torch": torch.tensor, "jax": jax.numpy.asarray}


class TransposeBefore:
    """keras.ops of arguments, for tensors of every framework."""

    @staticmethod
    def transpose(x: Any) -> Any:
        """The transpose of a matrix."""
        return tf.transpose(x) if isinstance(x, tf.Tensor) else x.T


class Keras:
    """Keras as the arguments of an expression before its fix need it."""

    ops = TransposeBefore


def numbers(expression: str, space: dict[str, Any]) -> Any:
    """What an expression gives, as plain lists."""
    return np.asarray(eval(expression, space), "float64").tolist()


def main() -> None:
    """Read expressions from the first file, write numbers to the second."""
    source, target = map(Path, sys.argv[1:])
    # tf.keras has the functions of Keras 2's backend, whichever backend runs.
    packages = {"np": np, "tf": tf, "torch": torch, "jax": jax, "math": math}
    packages["K"] = tf.keras.backend
    found = {}
    for before, after in json.loads(source.read_text(encoding="utf-8")).items():
        make = TENSORS.get(before.partition(".")[0], tf.constant)
        arrays = {"x": X, "y": Y, "i": (X > 0).astype("int32"), "s": np.float32(X.sum() + 1)}
        own = {name: make(each) for name, each in arrays.items()}
        if before.startswith("math."):
            own["s"] = float(arrays["s"])
        tensors = {name: keras.ops.convert_to_tensor(each) for name, each in arrays.items()}
        # Functions of negative numbers that are NaN on both sides.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found[before] = (
                numbers(before, {**packages, "keras": Keras, **own}),
                numbers(after, {"keras": keras, **tensors}),
            )
    target.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
