"""Checks of the library itself on one backend, run in the environment of a row of ``supported.toml``.

Run by path, with the folder that the backends of a row share::

    KERAS_BACKEND=jax python library.py train FOLDER REPORT.json --backend jax
    KERAS_BACKEND=jax python library.py read FOLDER REPORT.json --backend jax

``train`` draws random numbers, trains on both engines and writes a ``.keras`` file to the folder. ``read``
reads the files of all backends. The report holds a line for each check: what held, or the first error.
Exit status 0 if every check held, 1 otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

RECORDED = {
    "uniform": "6f59b59b6ae8",
    "normal": "726f4b4e55b0",
    "truncated_normal": "e27bb626007d",
    "randint": "c63172c254fe",
    "dropout": "89551f822e91",
    "shuffle": "e6ce5ff4b8e1",
    "binomial": "18adfde81b4a",
}
"""Digests of draws, by function; the same as in ``tests/portable_models/random/test_distributions.py``."""

ROUNDING = 10 * 4.8e-7
"""Ten units in the last place of float32 numbers between 4 and 8; the losses are below 8."""

STEP_ROUNDING = 2e-6
"""Some roundings of numbers of order 1 in 21 steps, as in the tests of the engines."""

ADAPTIVE_ROUNDING = 2e-5
"""Adam and RMSprop divide by the root of a mean square, which is small at the start."""

ROWS, BATCH, EPOCHS = 53, 8, 3
SGD = {"class_name": "SGD", "config": {"learning_rate": 0.05}}


def draw(seed: Any) -> dict[str, Any]:
    """Draw from every function whose bits are recorded."""
    import keras

    random, ops = keras.random, keras.ops
    return {
        "uniform": random.uniform((100, 7), seed=seed),
        "normal": random.normal((100, 7), stddev=0.05, seed=seed),
        "truncated_normal": random.truncated_normal((100, 7), stddev=0.05, seed=seed),
        "randint": random.randint((100, 7), -3, 1000, seed=seed),
        "dropout": random.dropout(ops.ones((100, 7)), 0.3, seed=seed),
        "shuffle": random.shuffle(ops.arange(101, dtype="int32"), seed=seed),
        "binomial": random.binomial((40,), 20, 0.3, seed=seed),
    }


def check_random() -> str:
    """Compare the recorded digests with those of draws: called one by one, and compiled."""
    import keras
    import numpy as np

    from portable_models import portable_random
    from portable_models._backend import current
    from portable_models.data.samples import digest_arrays

    seed = keras.ops.convert_to_tensor([5, 0], dtype="int32")
    for way in (lambda function: function, current().compiled):
        with portable_random(1):
            found = way(draw)(seed)
        for name, value in found.items():
            digest = digest_arrays(np.asarray(keras.ops.convert_to_numpy(value)))[:12]
            if digest != RECORDED[name]:
                raise AssertionError(
                    f"{name} has the digest {digest}, recorded is {RECORDED[name]}"
                )
    return f"{len(RECORDED)} digests as recorded"


def features() -> dict[str, tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Feature -> layers of a model, arguments of compile, arguments of fit."""
    import keras

    layers = keras.layers
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=5, decay_rate=0.7)
    average = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3}
    sgd = {"optimizer": SGD}
    return {
        "adam": ([], {"optimizer": "adam"}, {}),
        "schedule": ([], {"optimizer": keras.optimizers.SGD(schedule, momentum=0.9)}, {}),
        "clipping": ([], {"optimizer": keras.optimizers.RMSprop(global_clipnorm=0.05)}, {}),
        "moving average": ([], {"optimizer": keras.optimizers.Adam(**average)}, {}),
        "metrics": ([], sgd | {"metrics": ["AUC", "accuracy", "Precision"]}, {}),
        "batch normalization": (
            [layers.BatchNormalization],
            sgd,
            {"class_weight": {0: 1.0, 1: 3.0}},
        ),
        "dropout": ([lambda: layers.Dropout(0.4), lambda: layers.GaussianNoise(0.1)], sgd, {}),
        "penalties": ([lambda: layers.Dense(5, "relu", kernel_regularizer="l2")], sgd, {}),
    }


def data() -> tuple[Any, Any]:
    """Samples by features, and a class for each sample; the last batch is not full."""
    import numpy as np

    x = np.random.default_rng(3).normal(size=(ROWS, 6)).astype("float32")
    return x, (x[:, :1].sum(axis=1) > 0).astype("float32")


def compiled_model(parts: Any, settings: dict[str, Any]) -> Any:
    """A small classifier with these layers in its middle; its weights follow from the seed in force."""
    import keras

    inside = [part() for part in parts]
    head = [keras.Input((6,)), keras.layers.Dense(7, "relu")]
    model = keras.Sequential([*head, *inside, keras.layers.Dense(1, "sigmoid")])
    own = dict(settings)
    if not isinstance(own["optimizer"], str):
        # An optimizer belongs to one model.
        given = own["optimizer"]
        own["optimizer"] = given if isinstance(given, dict) else keras.optimizers.serialize(given)
        own["optimizer"] = keras.optimizers.deserialize(own["optimizer"])
    model.compile(**{"loss": "binary_crossentropy"} | own)
    return model


def check_engine() -> str:
    """Compare history and weights of the compiled engine with those of ``Model.fit``."""
    import numpy as np

    from portable_models import fit, portable_random

    x, y = data()
    common: dict[str, Any] = {"epochs": EPOCHS, "batch_size": BATCH, "seed": 4, "verbose": 0}
    held: dict[str, Any] = {"validation_data": (x[:20], y[:20])}
    count = 0
    for feature, (parts, settings, arguments) in features().items():
        exact = settings["optimizer"] is SGD
        tolerance = STEP_ROUNDING if exact else ADAPTIVE_ROUNDING
        trained = []
        for engine in ("keras", "compiled"):
            with portable_random(4):
                model = compiled_model(parts, settings)
            found = fit(model, x, y, engine=engine, **common, **held, **arguments)
            if found.engine != engine:
                raise AssertionError(f"{feature}: ran on {found.engine}: {found.engine_reason}")
            trained.append((found.history, model.get_weights()))
        (first, weights), (second, others) = trained
        if first.keys() != second.keys():
            raise AssertionError(f"{feature}: {sorted(second)} in the history, not {sorted(first)}")
        pairs = [(first[name], second[name], name) for name in first]
        pairs += [(a, b, "weights") for a, b in zip(weights, others, strict=True)]
        for a, b, name in pairs:
            np.testing.assert_allclose(
                b, a, rtol=tolerance, atol=tolerance, err_msg=f"{feature}: {name}"
            )
        count += 1
    return f"{count} features as Model.fit trains them"


def continue_training(model: Any) -> list[float]:
    """Losses of one more epoch of a trained model."""
    from portable_models import fit

    x, y = data()
    found = fit(model, x, y, epochs=1, batch_size=BATCH, seed=9, shuffle=False, verbose=0)
    return [float(value) for value in found.history["loss"]]


def write_file(folder: Path, backend: str) -> str:
    """Train, write a ``.keras`` file, and beside it what the model predicts and how its training goes on."""
    import keras
    import numpy as np

    from portable_models import fit, portable_random
    from portable_models.files import save

    x, y = data()
    with portable_random(7):
        model = compiled_model(
            [lambda: keras.layers.Dropout(0.3)], {"optimizer": "adam", "loss": "mse"}
        )
        fit(model, x, y, epochs=2, batch_size=BATCH, seed=7, verbose=0)
        save(model, folder / f"{backend}.keras")
        predicted = model.predict(x, verbose=0)
        losses = continue_training(model)
    np.savez(folder / f"{backend}.npz", predicted=predicted, losses=losses)
    return "written"


def check_files(folder: Path, backend: str) -> str:
    """Read the files of all backends: the same predictions, and a training that resumes to the same loss."""
    import numpy as np

    from portable_models import portable_random
    from portable_models.files import load

    x, _ = data()
    written = sorted(folder.glob("*.keras"))
    if not written:
        raise FileNotFoundError("no backend has written a file")
    for file in written:
        with np.load(file.with_suffix(".npz")) as expected, portable_random(7):
            model = load(file)
            predicted = model.predict(x, verbose=0)
            losses = continue_training(model)
            pairs = [(predicted, expected["predicted"]), (losses, expected["losses"])]
        for found, right in pairs:
            np.testing.assert_allclose(
                found, right, rtol=0, atol=ROUNDING, err_msg=f"{file.stem} on {backend}"
            )
    return f"{len(written)} files read and resumed"


def report_on(checks: dict[str, Callable[[], str]]) -> dict[str, dict[str, Any]]:
    """Run checks; what held and what was found, by check."""
    found: dict[str, dict[str, Any]] = {}
    for name, check in checks.items():
        try:
            found[name] = {"holds": True, "detail": check()}
        except Exception as error:  # Whatever stops a check is what is asked for.
            told = " ".join(str(error).split()).replace(sys.prefix, "...")
            found[name] = {"holds": False, "detail": f"{type(error).__name__}: {told}"}
    return found


def compile_from_the_first_step(backend: str) -> None:
    """Compile these short trainings on PyTorch too, where that pays from 1000 steps on."""
    module = importlib.import_module(f"portable_models._backend.{backend}")
    if hasattr(module, "WORTH_FROM"):
        vars(module)["WORTH_FROM"] = 0


def main() -> int:
    """Run the checks of one part and write the report."""
    parser = argparse.ArgumentParser(description="Check the library on one backend.")
    parser.add_argument("part", choices=("train", "read"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--backend", required=True)
    given = parser.parse_args()
    compile_from_the_first_step(given.backend)
    if given.part == "train":
        checks = {
            "random": check_random,
            "engine": check_engine,
            "write": lambda: write_file(given.folder, given.backend),
        }
    else:
        checks = {"files": lambda: check_files(given.folder, given.backend)}
    found = report_on(checks)
    packages = {each.name: each.version for each in importlib.metadata.distributions()}
    report = {"python": sys.version.split()[0], "packages": packages, "checks": found}
    given.report.write_text(json.dumps(report, indent=1), encoding="utf-8")
    for name, outcome in found.items():
        print(f"{given.backend} {name}: {outcome['detail']}")
    return int(not all(each["holds"] for each in found.values()))


if __name__ == "__main__":
    sys.exit(main())
