"""What the project's training loop costs beside plain ``Model.fit``, on the backend of this process.

Ours draws the order of samples itself, calls ``fit`` once for each epoch, and draws dropout masks from the
portable generator; theirs is one call of ``fit`` with ``shuffle=True``. Both train the same network on the
same samples, in turn, so that a machine which slows down slows both.

Prints one JSON object: seconds of each repeat, after one that is not counted (it compiles).
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import keras
import numpy as np

from portable_models import Recipe, fit, portable_random
from portable_models.models import boston_regressor

SAMPLES, FEATURES = 2048, 13


def main() -> None:
    """Time both and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.random((SAMPLES, FEATURES), np.float32)
    y = x.sum(axis=1)
    recipe = Recipe(
        loss="mse", metrics=("mae",), epochs=arguments.epochs, batch_size=arguments.batch_size
    )

    def ours() -> None:
        with portable_random(0):
            model = boston_regressor()
        fit(model, (x, y), recipe, prove=False)

    def theirs() -> None:
        model = boston_regressor()
        model.compile("rmsprop", "mse", metrics=["mae"])
        model.fit(x, y, epochs=arguments.epochs, batch_size=arguments.batch_size, verbose=0)

    seconds: dict[str, list[float]] = {"portable fit": [], "Model.fit": []}
    for repeat in range(arguments.repeats + 1):
        for name, train in (("portable fit", ours), ("Model.fit", theirs)):
            keras.utils.clear_session()
            started = time.perf_counter()
            train()
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    steps = arguments.epochs * -(-SAMPLES // arguments.batch_size)
    result: dict[str, Any] = {
        "backend": keras.backend.backend(),
        "steps": steps,
        "seconds": seconds,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
