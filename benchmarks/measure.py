"""Measures one backend, that of this process, and prints what it found as one JSON object.

Ours and what it is compared with run in turn, so that a machine which slows down slows both.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from networks import NETWORKS, Network

from portable_models import Member, Recipe, cross_validate, fit_many, portable_random
from portable_models.data import ArraySamples, load_boston
from portable_models.models import boston_regressor

FOLDS, EPOCHS = 4, 100
KERAS_EPOCHS = 3
"""Epochs of ``Model.fit`` that are measured, after a first one that compiles, and scaled."""
ROWS = 303
"""Rows that a fold trains on."""


def _say(text: str) -> None:
    print(f"  {text} …", file=sys.stderr, flush=True)


def _recipe(network: Network | None = None, **changes: Any) -> Recipe:
    settings = {"epochs": EPOCHS, "batch_size": 1}
    if network is not None:
        settings = {"epochs": network.epochs, "batch_size": network.batch_size}
    return Recipe(optimizer="rmsprop", loss="mse", metrics=("mae",), **(settings | changes))


def _model(build: Any = boston_regressor) -> Any:
    with portable_random(0):
        return build()


def kfold(repeats: int) -> dict[str, Any]:
    """Boston, 4 folds of 100 epochs, one sample a step, validated every epoch."""
    rows = load_boston().train
    found: dict[str, list[float]] = {"total": [], "compiling": [], "keras": []}
    for _ in range(repeats):
        _say("4 folds of 100 epochs")
        keras.utils.clear_session()
        started = time.perf_counter()
        result = cross_validate(
            boston_regressor, rows, _recipe(), folds=FOLDS, standardisation="once"
        )
        found["total"].append(time.perf_counter() - started)
        assert {each.engine for each in result.folds} == {"compiled"}
        found["compiling"].append(result.folds[0].compile_seconds)
        found["keras"].append(_by_keras(rows))
    return found


def _by_keras(rows: Any) -> float:
    """Seconds that ``Model.fit`` takes for the folds, from some epochs of one."""
    part = rows.subset(np.arange(ROWS)), rows.subset(np.arange(ROWS, len(rows)))
    at: list[float] = []
    _say("some epochs of Model.fit")
    started = time.perf_counter()
    fit_many(
        [Member(_model(), part[0], _recipe(epochs=1 + KERAS_EPOCHS), part[1])],
        engine="keras",
        progress=lambda *_: at.append(time.perf_counter()),
        prove=False,
    )
    first, each = at[0] - started, (at[-1] - at[0]) / KERAS_EPOCHS
    return FOLDS * (first + (EPOCHS - 1) * each)


def single(repeats: int) -> dict[str, Any]:
    """One Boston model: ours apart from compiling, and a native loop; samples x1, x4, x16."""
    found: dict[str, Any] = {}
    for factor in (1, 4, 16):
        x = np.random.default_rng(0).normal(size=(ROWS * factor, 13)).astype(np.float32)
        y = x.mean(axis=1)
        # Long enough that what a call costs once is a small part.
        epochs = max(20, 320 // factor)
        recipe = _recipe(epochs=epochs)
        orders = np.stack(
            [np.random.default_rng(e).permutation(len(x)) for e in range(epochs)]
        ).astype(np.int32)
        steps = epochs * len(x)
        natives = _natives(x, y)
        times: dict[str, list[float]] = {name: [] for name in ("ours", *natives)}
        for repeat in range(repeats + 1):
            _say(f"one model, {len(x)} samples")
            started = time.perf_counter()
            (training,) = fit_many([Member(_model(), (x, y), recipe)], prove=False)
            took = time.perf_counter() - started - training.compile_seconds
            assert training.engine == "compiled"
            if repeat:
                times["ours"].append(took / steps * 1e6)
            for name, native in natives.items():
                started = time.perf_counter()
                native(orders)
                if repeat:  # the first compiles
                    times[name].append((time.perf_counter() - started) / steps * 1e6)
        found[str(len(x))] = times
    return found


def _natives(x: Any, y: Any) -> dict[str, Callable[[Any], Any]]:
    model = _model()
    weights = model.get_weights()
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    name = keras.backend.backend()
    if name == "jax":
        import native_jax

        return {"native": native_jax.trainer(pairs, x, y)}
    if name == "tensorflow":
        import native_tensorflow

        return {"native": native_tensorflow.trainer(pairs, x, y)}
    import native_torch

    found = {"native": native_torch.trainer(pairs, x, y, compiled=False)}
    if len(x) == ROWS:
        found["native, compiled"] = native_torch.trainer(pairs, x, y, compiled=True)
    return found


def members(repeats: int) -> dict[str, Any]:
    """Microseconds a step and member: 1, 4, 16 and 64 members, apart from compiling.

    A member trains as long in each: what it costs once, its model and its history, is the same share.
    """
    x = np.random.default_rng(0).normal(size=(ROWS, 13)).astype(np.float32)
    rows = ArraySamples(x, x.mean(axis=1))
    found: dict[str, list[float]] = {}
    recipe = _recipe()
    for count in (1, 4, 16, 64):
        times: list[float] = []
        for _ in range(repeats):
            _say(f"{count} members")
            group = [Member(_model(), rows, recipe.replace(seed=seed)) for seed in range(count)]
            started = time.perf_counter()
            trainings = fit_many(group, prove=False)
            took = time.perf_counter() - started - trainings[0].compile_seconds
            times.append(took / (EPOCHS * ROWS * count) * 1e6)
        found[str(count)] = times
    return found


def networks(repeats: int) -> dict[str, Any]:
    """Other networks and batch sizes: seconds of the epochs after the first, for both engines."""
    found: dict[str, Any] = {}
    for name, network in NETWORKS.items():
        rows = network.rows()
        times: dict[str, list[float]] = {"compiled": [], "keras": []}
        reason = ""
        for _ in range(repeats):
            for engine in times:
                _say(f"{name}, {engine}")
                at: list[float] = [0.0]
                # Two trainings: the first epoch of Model.fit compiles.
                recipe = _recipe(network, epochs=1 + network.epochs)
                (training,) = fit_many(
                    [Member(_model(network.build), rows, recipe)],
                    engine=engine,
                    progress=lambda *_, at=at: at.append(time.perf_counter()),
                    prove=False,
                )
                reason = reason or training.engine_reason
                times[engine].append((at[-1] - at[1]) / network.epochs)
        found[name] = {**times, "reason": reason}
    return found


CASES = {"kfold": kfold, "single": single, "members": members, "networks": networks}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=list(CASES), action="append")
    given = parser.parse_args(arguments)
    found = {name: CASES[name](given.repeats) for name in given.only or CASES}
    print(json.dumps({"backend": keras.backend.backend(), **found}))


if __name__ == "__main__":
    main()
