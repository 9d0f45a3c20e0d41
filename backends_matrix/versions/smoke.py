"""A small training with fixed numbers, run by a row of the versions table in its own environment.

That environment holds some Keras and what Keras needs, not this project, so nothing is imported here
but the standard library and Keras itself. Run by path::

    python smoke.py REPORT.json --api keras3

The report holds the losses, or the error that stopped it; exit status 0 when it trained, 1 otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

SAMPLES, FEATURES, UNITS = 64, 4, 8
EPOCHS, RATE = 2, 0.05
# Divides the number of samples: early Keras 3 weights the batches of an epoch's mean loss alike,
# whatever their size, later ones by size.
BATCH_SIZE = 16

APIS = ("keras3", "tf.keras", "tf_keras")
"""The way to import Keras. ``tf_keras`` is the published way: ``tf.keras`` with ``TF_USE_LEGACY_KERAS=1``."""


def numbers(count: int, step: int) -> list[float]:
    """``count`` numbers in (-0.5, 0.5) that look irregular: multiples of ``step`` modulo a prime."""
    return [((index * step + 11) % 101 + 0.5) / 101 - 0.5 for index in range(count)]


def rows(values: list[float], width: int) -> list[list[float]]:
    """A flat list as a matrix of rows of this width."""
    return [values[start : start + width] for start in range(0, len(values), width)]


def inputs() -> list[list[float]]:
    """Samples by features."""
    return [[2 * value for value in row] for row in rows(numbers(SAMPLES * FEATURES, 37), FEATURES)]


def targets() -> list[list[float]]:
    """One number per sample, a curved function of its features."""
    return [[row[0] - row[1] * row[2] + 0.5 * row[3]] for row in inputs()]


def initial_weights() -> list[Any]:
    """Kernel and bias of the hidden layer, kernel and bias of the output, as Keras orders them."""
    return [
        rows([2 * value for value in numbers(FEATURES * UNITS, 59)], UNITS),
        numbers(UNITS, 23),
        rows([2 * value for value in numbers(UNITS, 71)], 1),
        [0.1],
    ]


def train(keras: Any) -> dict[str, Any]:
    """Predict, fit and evaluate; what came out, by name. A backend that cannot fit says so."""
    import numpy as np

    x, y = np.array(inputs(), "float32"), np.array(targets(), "float32")
    model = keras.Sequential(
        [
            keras.layers.Input(shape=(FEATURES,)),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mean_squared_error")
    model.set_weights([np.array(weight, "float32") for weight in initial_weights()])
    predicted = model.predict(x, batch_size=BATCH_SIZE, verbose=0)
    untrained = sum((float(p) - float(t)) ** 2 for [p], [t] in zip(predicted, y, strict=True))
    report: dict[str, Any] = {"untrained": untrained / SAMPLES}
    try:
        fitted = model.fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    except NotImplementedError as error:
        return report | {"fit_error": f"{type(error).__name__}: {error}"}
    evaluated = model.evaluate(x, y, batch_size=BATCH_SIZE, verbose=0)
    return report | {
        "losses": [float(loss) for loss in fitted.history["loss"]],
        "evaluate": float(evaluated),
    }


def import_keras(api: str) -> Any:
    """Keras, under the name that the row says."""
    if api == "keras3":
        return importlib.import_module("keras")
    # An attribute that is loaded lazily: importing "tensorflow.keras" gives another module.
    return importlib.import_module("tensorflow").keras


def main() -> int:
    """Run the training, or say what stopped it, in the report."""
    parser = argparse.ArgumentParser(description="Train a small model with fixed numbers.")
    parser.add_argument("report", type=Path)
    parser.add_argument("--api", choices=APIS, default="keras3")
    parser.add_argument("--import", dest="imports", action="append", default=[])
    arguments = parser.parse_args()
    report: dict[str, Any] = {"python": sys.version.split()[0]}
    try:
        keras = import_keras(arguments.api)
        # tf.keras has no version of its own; where its classes come from says which Keras it is.
        origin = keras.Model.__module__.partition(".")[0]
        report["keras"] = f"{origin} {importlib.import_module(origin).__version__}"
        report["backend"] = keras.backend.backend()
        report |= train(keras)
        for name in arguments.imports:
            importlib.import_module(name)
    except Exception as error:  # Whatever stops a combination of versions is what is asked for.
        # The environment is gone tomorrow; where it lay says nothing.
        told = str(error).replace(sys.prefix, "...")
        report["error"] = f"{type(error).__name__}: {told}"
    report["packages"] = {
        distribution.metadata["Name"]: distribution.version
        for distribution in importlib.metadata.distributions()
    }
    arguments.report.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if "error" in report:
        print(report["error"], file=sys.stderr)
    return int("error" in report)


if __name__ == "__main__":
    sys.exit(main())
