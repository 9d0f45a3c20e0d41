"""Training by a recipe, on the backend of this process."""

import keras
import numpy as np
import pytest

import portable_models
from portable_models import Recipe, portable_random
from portable_models.data import ArraySamples
from portable_models.training import mean_history, weights_digest
from portable_models.training.history import Training

from .study import fit

RECIPE = Recipe(loss="mse", metrics=("mae",), epochs=3, batch_size=8, seed=5)


def samples(count=50):
    rng = np.random.default_rng(0)
    x = rng.random((count, 4)).astype("float32")
    return ArraySamples(x, x.sum(axis=1).astype("float32"))


def network(dropout=0.0):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1),
        ]
    )


def trained(recipe=RECIPE, dropout=0.0, **settings):
    with portable_random(recipe.seed):
        model = network(dropout)
    return model, fit(model, samples(), recipe, **settings)


def test_a_training_can_be_repeated_exactly():
    (first, one), (second, two) = trained(dropout=0.5), trained(dropout=0.5)
    assert one == two
    assert weights_digest(first) == weights_digest(second)


def test_the_history_is_that_of_one_plain_fit_in_the_same_order():
    """One call of ``Model.fit`` per epoch is the same training as one call for all, where order is fixed."""
    recipe = RECIPE.replace(shuffle=False)
    model, ours = trained(recipe, validation=samples(20), engine="keras")
    with portable_random(recipe.seed):
        plain = network()
        plain.compile("rmsprop", "mse", metrics=["mae"])
        data, held_out = samples(), samples(20)
        theirs = plain.fit(
            data.x,
            data.y,
            batch_size=8,
            epochs=3,
            shuffle=False,
            validation_data=(held_out.x, held_out.y),
            verbose=0,
        ).history
    assert ours.history == {
        name: pytest.approx(points, rel=1e-6) for name, points in theirs.items()
    }
    assert weights_digest(model) == weights_digest(plain)


def test_early_stopping_remembers_across_epochs():
    stop = {
        "class_name": "EarlyStopping",
        "config": {"monitor": "mae", "patience": 2, "min_delta": 100.0},
    }
    _, training = trained(RECIPE.replace(epochs=10, callbacks=(stop,)))
    assert len(training.history["loss"]) == 3


def test_a_callback_sees_one_training():
    seen = []

    class Recorder(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append("begin")

        def on_epoch_end(self, epoch, logs=None):
            seen.append(epoch)

        def on_train_end(self, logs=None):
            seen.append("end")

    trained(RECIPE.replace(callbacks=(Recorder,)))
    assert seen == ["begin", 0, 1, 2, "end"]


def test_a_learning_rate_schedule_goes_on_across_epochs():
    rates = []

    def note(epoch, rate):
        rates.append(float(rate))
        return rate / 2

    trained(RECIPE.replace(callbacks=(lambda: keras.callbacks.LearningRateScheduler(note),)))
    assert rates == pytest.approx([1e-3, 5e-4, 2.5e-4])


def test_progress_is_told_of_every_epoch():
    told = []
    trained(progress=lambda epoch, epochs, metrics: told.append((epoch, epochs, sorted(metrics))))
    assert told == [(epoch, 3, ["loss", "mae"]) for epoch in (1, 2, 3)]


def test_progress_for_people_is_one_line_an_epoch(capsys):
    trained(progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", f"{epoch}/3"] for epoch in (1, 2, 3)]


def test_class_weights_change_the_loss_as_they_should():
    x, y = np.ones((4, 1), "float32"), np.array([0, 1, 1, 1], "float32")

    def loss(class_weight):
        model = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")]
        )
        recipe = Recipe(optimizer="sgd", loss="mse", batch_size=4, class_weight=class_weight)
        return fit(model, (x, y), recipe).history["loss"][0]

    # Predictions are 0, so the squared errors are 0, 1, 1, 1.
    assert loss(None) == pytest.approx(3 / 4)
    assert loss({0: 1.0, 1: 2.0}) == pytest.approx(3 * 2 / 4)


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights_given_to_fit_weigh_as_those_of_model_fit(one_hot):
    x = samples(45).x
    labels = np.arange(45) % 3
    y = np.eye(3, dtype="float32")[labels] if one_hot else labels.astype("float32")
    asked = {"epochs": 2, "batch_size": 8, "shuffle": False, "class_weight": {0: 1.0, 1: 7.0}}

    def model():
        with portable_random(3):
            made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3 if one_hot else 1)])
        made.compile("sgd", "mse")
        return made

    expected = model().fit(x, y, verbose=0, **asked).history["loss"]
    found = portable_models.fit(model(), x, y, **asked)
    assert found.engine == "compiled"
    # Rounding of a mean over eight rows, some steps long.
    np.testing.assert_allclose(found.history["loss"], expected, rtol=2e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "steam"}, "unknown engine 'steam'"),
        ({"pipeline": "numpie"}, "unknown pipeline 'numpie'"),
    ],
)
def test_unknown_names_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        trained(**settings)


def test_an_unknown_callback_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown callback 'EarlyStoping'.*EarlyStopping"):
        trained(RECIPE.replace(callbacks=("EarlyStoping",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"epochs": 0}, "epochs"), ({"batch_size": 0}, "batch_size"), ({"seed": -1}, "seed")],
)
def test_a_recipe_refuses_what_cannot_be_trained(changes, message):
    with pytest.raises(ValueError, match=message):
        RECIPE.replace(**changes)


def test_what_a_recipe_cannot_describe_is_told():
    with pytest.raises(TypeError, match="objects of Keras and functions; got object"):
        RECIPE.replace(optimizer=object()).digest()


def test_every_setting_of_a_recipe_changes_its_digest():
    changes = {
        "optimizer": "sgd",
        "loss": "mae",
        "metrics": (),
        "weighted_metrics": ("mae",),
        "loss_weights": (1.0,),
        "epochs": 4,
        "batch_size": 9,
        "seed": 6,
        "shuffle": False,
        "class_weight": {0: 1.0},
        "callbacks": ("EarlyStopping",),
    }
    digests = {RECIPE.replace(**{name: value}).digest() for name, value in changes.items()}
    assert len(digests | {RECIPE.digest()}) == len(changes) + 1
    assert set(changes) == set(RECIPE.replace(weighted_metrics=("mae",)).to_json())


def test_histories_of_folds_are_averaged_epoch_by_epoch():
    assert mean_history([{"loss": [1.0, 3.0]}, {"loss": [3.0, 5.0]}]) == {"loss": [2.0, 4.0]}
    with pytest.raises(ValueError, match="same metrics and epochs"):
        mean_history([{"loss": [1.0]}, {"loss": [1.0, 2.0]}])


def test_a_training_says_what_went_in():
    _, training = trained(dropout=0.5)
    assert isinstance(training, Training)
    assert set(training.digests) == {"order", "batches", "initial_weights", "dropout_masks"}
    assert all(len(digest) == 64 for digest in training.digests.values())
