"""What is computed on each device; run as ``python torch_work.py cpu|sim OUT.npz NAME ...``.

Each function of ``WORK`` gives a dict of arrays. The process writes them as ``NAME/key``, and beside them a JSON file
with what else it says: engines that trained, copies between the devices in each epoch, and errors.
"""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np

WORK = {}
SAID: dict[str, dict] = {}


def work(function):
    WORK[function.__name__] = function
    return function


def say(name, **facts):
    SAID.setdefault(name, {}).update(facts)


def rows(count=41, wide=5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, wide)).astype("float32")
    return x, (x[:, :1] * 2 + np.sin(x[:, 1:2])).astype("float32")


def bags(count=60, words=40, seed=1):
    from portable_models.data import MultiHotSamples

    rng = np.random.default_rng(seed)
    held = [np.flatnonzero(rng.random(words) < 0.3) for _ in range(count)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in held])])
    y = (rng.random(count) < 0.5).astype("float32")
    return MultiHotSamples(np.concatenate(held).astype("int32"), offsets, words, y)


def regressor(seed=3):
    import keras

    from portable_models import portable_random

    layers = keras.layers
    with portable_random(seed):
        return keras.Sequential(
            [
                keras.Input((5,)),
                layers.Dense(8, "relu", kernel_initializer="orthogonal"),
                layers.BatchNormalization(),
                layers.Dropout(0.3),
                layers.Dense(1, kernel_regularizer="l2"),
            ]
        )


def classifier(words=40):
    import keras

    from portable_models import portable_random

    layers = keras.layers
    with portable_random(4):
        return keras.Sequential(
            [
                keras.Input((words,)),
                layers.Dense(6, "relu"),
                layers.Dropout(0.2),
                layers.Dense(1, "sigmoid"),
            ]
        )


RECIPES = {
    "numbers": {"optimizer": "adam", "loss": "mse", "metrics": ("mae",)},
    "bags": {"optimizer": "rmsprop", "loss": "binary_crossentropy", "metrics": ("accuracy",)},
}


def recipe(kind="numbers", epochs=3, batch_size=8):
    from portable_models import Recipe

    return Recipe(**RECIPES[kind], epochs=epochs, batch_size=batch_size)


def members(trainings, models):
    found = {}
    for number, (training, model) in enumerate(zip(trainings, models, strict=True)):
        found |= {f"{number}/{name}": np.array(each) for name, each in training.history.items()}
        found |= {f"{number}/w{place}": each for place, each in enumerate(model.get_weights())}
        found[f"{number}/digests"] = np.array(
            sorted(f"{name}={value}" for name, value in training.digests.items())
        )
    return found


def trained(name, model, samples, validation, by, engine="compiled", **patched):
    """One training by the library, with thresholds of its programs set to other values."""
    from unittest import mock

    from portable_models._backend import torch_program
    from portable_models.training import Member, fit_many

    counts = []

    def count(*_):
        counts.append(dict(copies()))

    with mock.patch.dict(vars(torch_program), patched):
        member = Member(model, samples, by, validation)
        (training,) = fit_many([member], engine=engine, progress=count)
    say(name, engine=training.engine, reason=training.engine_reason)
    say(name, copies=[differences(*pair) for pair in zip(counts, counts[1:], strict=False)])
    return members([training], [model])


def copies():
    device = sys.modules.get("second_torch_device")
    return {} if device is None else device.COPIES


def differences(before, after):
    return {name: after[name] - before.get(name, 0) for name in after}


@work
def numbers():
    x, y = rows()
    held = rows(17, seed=9)
    return trained("numbers", regressor(), (x, y), held, recipe(epochs=6))


@work
def numbers_traced():
    return trained("numbers_traced", regressor(), rows(), rows(17, seed=9), recipe(), TRACED_FROM=0)


@work
def numbers_in_a_loop():
    return trained("numbers_in_a_loop", regressor(), rows(), None, recipe(), PAYS_FROM=0)


@work
def numbers_on_keras():
    return trained(
        "numbers_on_keras", regressor(), rows(), rows(17, seed=9), recipe(), engine="keras"
    )


@work
def words():
    held = bags(33, seed=7)
    return trained("words", classifier(), bags(), held, recipe("bags", epochs=6))


@work
def words_traced():
    held = bags(33, seed=7)
    return trained("words_traced", classifier(), bags(), held, recipe("bags"), TRACED_FROM=0)


@work
def words_in_a_loop():
    return trained("words_in_a_loop", classifier(), bags(), None, recipe("bags"), PAYS_FROM=0)


@work
def words_on_keras():
    held = bags(33, seed=7)
    return trained("words_on_keras", classifier(), bags(), held, recipe("bags"), engine="keras")


@work
def side_by_side():
    from portable_models.training import Member, fit_many

    models = [regressor(seed) for seed in (3, 5)]
    trainings = fit_many([Member(model, rows(), recipe()) for model in models])
    say("side_by_side", engine=trainings[0].engine, reason=trainings[0].engine_reason)
    return members(trainings, models)


@work
def folds():
    from portable_models import cross_validate

    found = cross_validate(regressor, rows(), recipe(), folds=2, standardisation="per_fold")
    return {name: np.array(values) for name, values in found.mean.items()}


@work
def own_call():
    """``fit`` with callbacks, sample weights and a validation split, on what the user compiled."""
    import keras

    from portable_models import fit

    model = regressor()
    model.compile("adam", "mse", metrics=["mae"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    reduce = keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=10.0)
    x, y = rows()
    found = fit(
        model,
        x,
        y,
        epochs=4,
        batch_size=8,
        validation_split=0.3,
        sample_weight=np.linspace(0.5, 1.5, len(x)),
        callbacks=[stop, reduce],
        verbose=0,
    )
    say("own_call", engine=found.engine)
    return {name: np.array(each) for name, each in found.history.items()}


@work
def networks():
    """One step of programs over convolutions, recurrent layers, attention and embeddings."""
    import keras

    from portable_models import portable_random

    layers, found = keras.layers, {}
    rng = np.random.default_rng(5)
    pictures = rng.normal(size=(20, 8, 8, 1)).astype("float32")
    sentences = rng.integers(0, 20, (20, 7)).astype("int32")
    y = rng.random((20, 1)).astype("float32")

    def attention(x):
        return layers.MultiHeadAttention(2, 3)(x, x)

    stacks = {
        "convolution": (
            pictures,
            [layers.Conv2D, layers.MaxPooling2D, layers.Activation, layers.Flatten],
        ),
        "recurrent": (sentences, [layers.Embedding, layers.LSTM]),
        "attention": (sentences, [layers.Embedding, attention, layers.Flatten]),
    }
    settings = {layers.Conv2D: (4, 3), layers.Embedding: (20, 6), layers.LSTM: (5,)}
    settings[layers.Activation] = ("relu",)
    for name, (x, stack) in stacks.items():
        with portable_random(2):
            given = keras.Input(x.shape[1:], dtype=x.dtype)
            out = given
            for make in stack:
                out = make(out) if make is attention else make(*settings.get(make, ()))(out)
            model = keras.Model(given, layers.Dense(1)(out))
        found |= {
            f"{name}/{key}": each
            for key, each in trained(f"networks/{name}", model, (x, y), None, recipe()).items()
        }
    return found


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


@work
def files():
    """Saved, loaded, trained on; and a training stopped and resumed from its checkpoint."""
    import keras

    from portable_models import files as model_files
    from portable_models import fit
    from portable_models.training import Checkpoint, Member, fit_many

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        model = regressor()
        fit_many([Member(model, rows(), recipe(epochs=1))])
        path = Path(folder) / "model.keras"
        model_files.save(model, path)
        again = model_files.load(path)
        history = fit(again, *rows(), epochs=2, engine="keras", verbose=0).history
        found |= {f"saved/{name}": np.array(each) for name, each in history.items()}
        kept = Checkpoint(Path(folder) / "kept.npz", 1)
        for epochs in (1, 3):
            training = fit_many([Member(regressor(), rows(), recipe(epochs=epochs), None, kept)])
        found |= {f"resumed/{k}": np.array(v) for k, v in training[0].history.items()}
        # Dropout without a seed draws from the framework's own generator, which the file holds.
        plain = keras.Sequential(
            [keras.Input((5,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
        plain.compile("sgd", "mse")
        plain.fit(*rows(), epochs=1, shuffle=False, verbose=0)
        model_files.save(plain, path)
        on = plain.fit(*rows(), epochs=2, shuffle=False, verbose=0).history["loss"]
        loaded = model_files.load(path)
        resumed = loaded.fit(*rows(), epochs=2, shuffle=False, verbose=0).history["loss"]
        say("files", unseeded_resumes=on == resumed, losses=[on, resumed])
    return found


@work
def exported():
    """A model of this process, proven by children; then the arrays that the artifact holds."""
    from portable_models import export

    found = {}
    model = regressor()
    model.compile("adam", "mse")
    model.fit(*rows(), epochs=1, verbose=0, shuffle=False)
    with tempfile.TemporaryDirectory() as folder:
        for target, name in (("torch", "model.pt2"), ("torch-module", "module")):
            result = export(model, target, Path(folder) / name)
            say("exported", **{target: [result.status.value, result.reason]})
        import torch

        program = torch.export.load(str(Path(folder) / "model.pt2"))
        held = [*program.state_dict.values(), *program.constants.values()]
        say("exported", devices=sorted({str(t.device) for t in held if hasattr(t, "device")}))
    return found


def main():
    device, out, *names = sys.argv[1:]
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation")
    # Inductor and torch.export use torch.jit, which PyTorch deprecates.
    warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
    if device == "sim":
        import second_torch_device

        second_torch_device.install()
    from unittest import mock

    import keras

    assert keras.backend.backend() == "torch"
    found = {}
    with mock.patch("portable_models._backend.torch.WORTH_FROM", 0):
        for name in names or WORK:
            try:
                for key, value in WORK[name]().items():
                    found[f"{name}/{key}"] = value
            except Exception:
                say(name, error=traceback.format_exc())
    np.savez(out, **found)
    Path(out).with_suffix(".json").write_text(json.dumps(SAID))


if __name__ == "__main__":
    main()
