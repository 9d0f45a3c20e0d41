"""The IMDB study as a whole program, from its start to its predictions: ours, and the published way.

    python imdb_program.py ours|published|keras

Both train stages A (20 epochs on 15,000 reviews, 10,000 held out) and B (4 epochs on 25,000) and predict (C).
Prints accuracy and the peak of this process's memory as one JSON object; its seconds are taken outside.
``keras`` only imports Keras, and its accuracy is 0: what no way can be faster than.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

BATCH, WORDS, HELD_OUT = 512, 10_000, 10_000


def _numbered(reviews: Any, labels: Any, generator: Any) -> tuple[Any, Any]:
    order = list(range(len(reviews)))
    generator.shuffle(order)
    numbered = [[1] + [rank + 3 for rank in reviews[row]] for row in order]
    return [[each if each < WORDS else 2 for each in row] for row in numbered], labels[order]


def published() -> float:
    """As in the book: two dense matrices, then ``fit``."""
    import os
    from pathlib import Path

    import keras
    import numpy as np

    # TensorFlow's deterministic operations, which both ways run with, ask for a seed.
    keras.utils.set_random_seed(0)
    # What keras.datasets.imdb does with its own copy of this file, which this project knows by its hash.
    path = Path(os.environ["PORTABLE_MODELS_DATA"]) / "imdb.npz"
    with np.load(path, allow_pickle=True) as held:
        parts = [(list(held[f"x_{part}"]), held[f"y_{part}"]) for part in ("train", "test")]
    generator = np.random.RandomState(113)
    (x_train, y_train), (x_test, y_test) = (
        _numbered(reviews, labels, generator) for reviews, labels in parts
    )

    def vectors(sequences: Any) -> Any:
        found = np.zeros((len(sequences), WORDS), "float32")
        for row, words in enumerate(sequences):
            found[row, words] = 1.0
        return found

    def model() -> Any:
        dense = keras.layers.Dense
        made = keras.Sequential(
            [
                keras.Input((WORDS,)),
                dense(16, activation="relu"),
                dense(16, activation="relu"),
                dense(1, activation="sigmoid"),
            ]
        )
        made.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
        return made

    x, x_new = vectors(x_train), vectors(x_test)
    y, y_new = (np.asarray(labels, "float32") for labels in (y_train, y_test))
    held_out = (x[:HELD_OUT], y[:HELD_OUT])
    settings: dict[str, Any] = {"batch_size": BATCH, "verbose": 0}
    model().fit(x[HELD_OUT:], y[HELD_OUT:], epochs=20, validation_data=held_out, **settings)
    final = model()
    final.fit(x, y, epochs=4, **settings)
    accuracy = final.evaluate(x_new, y_new, verbose=0)[1]
    final.predict(x_new, verbose=0)
    return float(accuracy)


def ours() -> float:
    """The library's experiment, as it is."""
    import portable_models

    outcomes = portable_models.run("imdb", data="full").outcomes
    return float(outcomes["final"].final["test_accuracy"])


def keras_alone() -> float:
    """No study at all."""
    import keras

    keras.backend.backend()
    return 0.0


WAYS: dict[str, Callable[[], float]] = {"ours": ours, "published": published, "keras": keras_alone}


def main() -> None:
    """Run one way."""
    accuracy = WAYS[sys.argv[1]]()
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({"accuracy": accuracy, "peak_memory_bytes": peak}))


if __name__ == "__main__":
    main()
