"""Runs modules given as JSON on one backend, and writes what came out.

A module defines ``run()``, or ``build_model()`` and perhaps ``make_loss()`` and ``make_optimizer()``. A model
predicts twice, trains for two epochs, predicts, is saved and loaded, and predicts again.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np


def flat(value: Any) -> list[Any]:
    """The numbers of a result, rounded by nothing, with its dtype."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [each for part in value for each in flat(part)]
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value))
    except Exception:
        array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return []
    return [[list(array.shape), array.astype("float64").ravel().tolist()]]


def random_weights(model: Any) -> None:
    """The same weights on every backend."""
    draw = np.random.default_rng(7)
    for weight in model.trainable_weights:
        weight.assign(draw.normal(scale=0.5, size=weight.shape).astype("float32"))


def run_model(space: dict[str, Any]) -> dict[str, Any]:
    """Predict, train, save and load a model."""
    keras.utils.set_random_seed(0)
    model = space["build_model"]()
    draw = np.random.default_rng(3)
    shape = getattr(model, "input_shape", None) or (None, 6)
    x = draw.normal(size=(8, *shape[1:])).astype("float32")
    model(x[:2])
    random_weights(model)
    outputs = np.asarray(keras.ops.convert_to_numpy(model(x[:3])))
    y = draw.normal(size=(8, *outputs.shape[1:])).astype("float32")
    optimizer = (
        space["make_optimizer"]() if "make_optimizer" in space else keras.optimizers.SGD(0.01)
    )
    loss = space["make_loss"]() if "make_loss" in space else "mse"
    # On TensorFlow a graph shows what XLA shows, in a fraction of the time.
    jit = "auto" if keras.backend.backend() == "jax" else False
    model.compile(optimizer, loss, jit_compile=jit)
    first = model.predict(x[:4], verbose=0)
    again = model.predict(x[:4], verbose=0)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    after = model.predict(x[:4], verbose=0)
    trained = [len(model.trainable_weights), len(model.weights)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
        reloaded = loaded.predict(x[:4], verbose=0)
    counts = [len(loaded.trainable_weights), len(loaded.weights)]
    return {
        "values": flat([first, history, after]),
        "repeats": bool(np.array_equal(first, again)),
        "reloads": bool(np.allclose(after, reloaded, atol=1e-6)) and counts == trained,
    }


def run(number: int, text: str) -> dict[str, Any]:
    """Run one module."""
    space: dict[str, Any] = {"__name__": f"example_{number}"}
    environment = dict(os.environ)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(text, f"example_{number}.py", "exec"), space)
            if "run" in space:
                found = {"values": flat(space["run"]()), "repeats": True, "reloads": True}
            else:
                found = run_model(space)
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        finally:
            os.environ.clear()
            os.environ.update(environment)
    found["warnings"] = [str(each.message) for each in caught if each.category is UserWarning]
    keras.utils.clear_session()
    keras.saving.get_custom_objects().clear()
    return found


def main() -> None:
    """Read texts from the first file, write results to the second."""
    source, target = map(Path, sys.argv[1:])
    os.chdir(tempfile.mkdtemp())
    texts = json.loads(source.read_text(encoding="utf-8"))
    results = []
    for number, text in enumerate(texts):
        results.append(run(number, text))
        print(number + 1, "of", len(texts), file=sys.stderr, flush=True)
    target.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
