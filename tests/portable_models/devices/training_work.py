"""Trainings that are computed on a device."""

from __future__ import annotations

import numpy as np
from common_work import bags, classifier, members, recipe, regressor, rows, say, trained, work


@work
def numbers():
    x, y = rows()
    held = rows(17, seed=9)
    return trained("numbers", regressor(), (x, y), held, recipe(epochs=6))


@work
def numbers_traced():
    return trained("numbers_traced", regressor(), rows(), rows(17, seed=9), recipe(), TRACED_FROM=0)


@work
def numbers_alone():
    return trained("numbers_alone", regressor(), rows(), None, recipe())


@work
def words_alone():
    return trained("words_alone", classifier(), bags(), None, recipe("bags"))


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
