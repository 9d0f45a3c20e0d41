"""Random draws, measuring, and single steps that are computed on a device."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from common_work import RECIPES, bags, classifier, recipe, regressor, rows, work


@work
def drawn():
    import keras

    from portable_models import portable_random
    from portable_models.random.digest import dropout_mask_digest, random_bits_digest

    layers, random = keras.layers, keras.random

    def seeded():
        return random.SeedGenerator(3)

    with portable_random(1):
        noisy = keras.Sequential(
            [keras.Input((64,)), layers.Dropout(0.5), layers.GaussianNoise(0.1)]
        )
        found = {
            "bits": random_bits_digest(5),
            "masks": dropout_mask_digest(noisy),
            "uniform": random.uniform((99, 7), -1, 1, seed=seeded()),
            "normal": random.normal((99, 7), 0.3, 0.1, seed=seeded()),
            "truncated": random.truncated_normal((99, 7), seed=seeded()),
            "randint": random.randint((99,), 0, 77, seed=seeded()),
            "shuffle": random.shuffle(keras.ops.arange(99), seed=seeded()),
            "categorical": random.categorical(keras.ops.ones((4, 5)), 3, seed=seeded()),
            "gamma": random.gamma((50,), 2.0, seed=seeded()),
            "beta": random.beta((50,), 2.0, 3.0, seed=seeded()),
            "binomial": random.binomial((50,), 5, 0.3, seed=seeded()),
            "dropout": random.dropout(keras.ops.ones((50,)), 0.4, seed=seeded()),
            "orthogonal": keras.initializers.Orthogonal(seed=3)((40, 30)),
            "orthogonal of a generator": keras.initializers.Orthogonal(seed=seeded())((40, 30)),
            "glorot": keras.initializers.GlorotUniform(seed=seeded())((40, 30)),
        }
    return {
        name: np.array(each) if isinstance(each, str) else keras.ops.convert_to_numpy(each)
        for name, each in found.items()
    }


@work
def measured():
    from portable_models.training import evaluate, predict

    found = {}
    for name, model, samples, kind in (
        ("words", classifier(), bags(), "bags"),
        ("numbers", regressor(), rows(), "numbers"),
    ):
        settings = RECIPES[kind]
        model.compile(settings["optimizer"], settings["loss"], metrics=list(settings["metrics"]))
        given = samples if isinstance(samples, tuple) else (samples,)
        values = evaluate(model, *given, batch_size=7)
        found |= {f"{name}/{key}": np.array(each) for key, each in values.items()}
        found[f"{name}/outputs"] = predict(model, given[0], batch_size=7)
    return found


@work
def step():
    """States along a training, and one step from each."""
    from portable_models.training import Member, fit_many
    from portable_models.training.first_training import job_of_first_training
    from portable_models.training.one_step import record, replay

    def train():
        fit_many([Member(regressor(), rows(), recipe())])

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "again"
        out.mkdir()
        record(*job_of_first_training(train), Path(folder))
        replay(job_of_first_training(train)[0], Path(folder), out, 1)
        for path in sorted(out.glob("*.npz")):
            with np.load(path) as held:
                found |= {f"{path.stem}/{name}": held[name] for name in held.files}
    return found
