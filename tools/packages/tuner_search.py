"""Search with KerasTuner through ``portable_models.fit``: the same trials and best one on every backend.

    python tools/packages/tuner_search.py            # on the three backends, one process each
    python tools/packages/tuner_search.py BACKEND    # on one; prints its trials as JSON

Exit code 1: the searches differ.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

BACKENDS = ("jax", "tensorflow", "torch")
TRIALS, EPOCHS = 10, 20
ROUNDING = 1e-4
"""Of a score, after 20 epochs in float32: far below the differences between trials, which are checked too."""


def search() -> list[dict[str, Any]]:
    """Search on the backend of this process: hyperparameters and score of every trial, the best first."""
    import keras
    import keras_tuner

    import portable_models
    from portable_models.data import load_boston, standardise

    data: Any = load_boston()
    x, _ = standardise(data.train.x, data.test.x)

    class HousePrices(keras_tuner.HyperModel):  # type: ignore[misc]  # it has no types
        def build(self, hp: Any) -> Any:
            with portable_models.portable_random(1):
                model = keras.Sequential(
                    [
                        keras.Input((13,)),
                        keras.layers.Dense(hp.Int("units", 8, 64, step=8), "relu"),
                        keras.layers.Dropout(hp.Float("dropout", 0.0, 0.4, step=0.1)),
                        keras.layers.Dense(1),
                    ]
                )
            rate = hp.Choice("rate", [0.001, 0.003, 0.01])
            model.compile(keras.optimizers.RMSprop(rate), "mse", metrics=["mae"])
            return model

        def fit(self, hp: Any, model: Any, x: Any, y: Any, **settings: Any) -> dict[str, float]:
            del hp
            settings.pop(
                "callbacks", None
            )  # KerasTuner's own keep weights, which this search needs not
            found = portable_models.fit(model, x, y, seed=1, **settings)
            return {"val_mae": min(found.history["val_mae"])}

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(
            HousePrices(),
            objective=keras_tuner.Objective("val_mae", "min"),
            max_trials=TRIALS,
            seed=5,
            directory=folder,
            overwrite=True,
        )
        settings = {"epochs": EPOCHS, "validation_split": 0.25, "batch_size": 16}
        tuner.search(x, data.train.y, **settings, verbose=0)
        best = tuner.oracle.get_best_trials(TRIALS)
    return [{"score": each.score, **each.hyperparameters.values} for each in best]


def run(backend: str) -> list[dict[str, Any]]:
    """The search on one backend, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, backend],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if arguments:
        print(json.dumps(search()))
        return 0
    found = {backend: run(backend) for backend in BACKENDS}
    reference, *others = found.values()
    for place, trials in enumerate(zip(*found.values(), strict=True), 1):
        settings = {name: value for name, value in trials[0].items() if name != "score"}
        print(place, settings, " ".join(f"{trial['score']:.5f}" for trial in trials))
    closest = min(b["score"] / a["score"] - 1 for a, b in itertools.pairwise(reference))
    print(
        f"neighbouring trials are {closest:.1e} apart at least; the backends may differ by {ROUNDING}"
    )
    same = closest > 2 * ROUNDING and all(
        {**one, "score": 0} == {**other, "score": 0}
        and abs(one["score"] - other["score"]) <= ROUNDING * one["score"]
        for each in others
        for one, other in zip(reference, each, strict=True)
    )
    print("the searches are the same" if same else "the searches differ")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
