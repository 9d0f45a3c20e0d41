"""Data as users have them, in ``fit``, ``cross_validate``, ``evaluate`` and ``predict``."""

import keras
import numpy as np
import pytest
from keras import layers

import portable_models
from portable_models import Recipe, cross_validate, portable_random
from portable_models.data import ArraySamples

pytestmark = [
    pytest.mark.filterwarnings("ignore:Model.fit runs this training"),
    # Arrays that do not fit together are read by Keras, which then says what is wrong with them.
    pytest.mark.filterwarnings("ignore:Keras shuffles this data"),
]
ENGINES = ("compiled", "keras")
RECIPE = Recipe(optimizer="sgd", loss="mse", metrics=("mae",), epochs=2, batch_size=4)


def data(rows=24):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3)).astype("float32")
    return x, x[:, :1] + 0.1


def build():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, "relu"), layers.Dense(1)])


def compiled(optimizer="adam"):
    with portable_random(0):
        model = build()
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def frame():
    import pandas as pd

    x, y = data()
    return pd.DataFrame(x, columns=["a", "b", "c"]), pd.Series(y[:, 0])


def tf_data():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(data()).batch(4)


KINDS = {
    "tuple": data,
    "frames": frame,
    "float64": lambda: tuple(each.astype("float64") for each in data()),
    "samples": lambda: ArraySamples(*data()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_cross_validation_takes_data_as_users_have_them(kind):
    found = cross_validate(build, KINDS[kind](), RECIPE, folds=3)
    expected = cross_validate(build, ArraySamples(*data()), RECIPE, folds=3)
    for one, other in zip(found.folds, expected.folds, strict=True):
        # float64 is rounded to float32 before it is trained on.
        np.testing.assert_allclose(one.history["val_loss"], other.history["val_loss"], rtol=2e-6)


def test_cross_validation_of_too_few_rows_counts_rows():
    with pytest.raises(ValueError, match="expected 2 to 24 folds for 24 rows; got 25"):
        cross_validate(build, data(), RECIPE, folds=25)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: data()[0], "fold.*targets|targets.*fold"),
        (tf_data, "fold.*Dataset|Dataset.*fold"),
        (lambda: (batch for batch in [data()]), "fold.*generator|generator.*fold"),
        (lambda: (data()[0], data()[1][:-3]), "rows"),
        (lambda: None, "fold.*None|None.*fold"),
    ],
    ids=["no targets", "data set", "generator", "lengths", "nothing"],
)
def test_cross_validation_says_what_it_cannot_fold(given, words):
    with pytest.raises((ValueError, TypeError), match=words):
        cross_validate(build, given(), RECIPE, folds=3)


def test_cross_validation_keeps_the_model_of_every_fold():
    found = cross_validate(build, data(), RECIPE, folds=3)
    models = [each.model for each in found.folds]
    assert len({id(model) for model in models}) == 3
    x, y = data()
    for fold, model in enumerate(models):
        held_out = slice(fold * 8, (fold + 1) * 8)
        measured = model.evaluate(x[held_out], y[held_out], verbose=0, return_dict=True)
        expected = found.folds[fold].history["val_loss"][-1]
        # The held-out rows are gone through in other batches: the mean is rounded otherwise.
        assert measured["loss"] == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_empty_validation_set_is_refused(engine):
    x, y = data()
    with pytest.raises(ValueError, match=r"(?i)validation"):
        portable_models.fit(
            compiled(), x, y, validation_data=(x[:0], y[:0]), engine=engine, verbose=0
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_empty_training_set_is_refused(engine):
    x, y = data()
    with pytest.raises(ValueError, match=r"(?i)no rows|empty|0 samples|no samples|no data"):
        portable_models.fit(compiled(), x[:0], y[:0], engine=engine, verbose=0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"y": data()[1][:-1]}, "24"),
        ({"sample_weight": np.ones(7)}, "7|cardinality|weight"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_argument_that_does_not_fit_is_named(more, words, engine):
    x, y = data()
    with pytest.raises((ValueError, TypeError), match=words):
        portable_models.fit(compiled(), **({"x": x, "y": y} | more), engine=engine, verbose=0)


def test_model_that_was_not_compiled_is_told_what_to_do():
    with pytest.raises(ValueError, match="compile"):
        portable_models.fit(build(), *data(), verbose=0)


@pytest.mark.parametrize("engine", ENGINES)
def test_fits_in_a_row_go_on_where_the_last_one_stopped(engine):
    ours, keras_own = compiled(), compiled()
    for _ in range(2):
        found = portable_models.fit(
            ours, *data(), epochs=2, shuffle=False, engine=engine, verbose=0
        )
        expected = keras_own.fit(*data(), epochs=2, shuffle=False, verbose=0)
        # A few steps on numbers of order 1.
        np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=2e-6)
    assert int(ours.optimizer.iterations) == int(keras_own.optimizer.iterations) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_model_fit_goes_on_after_a_portable_fit(engine):
    ours, keras_own = compiled(), compiled()
    portable_models.fit(ours, *data(), epochs=2, shuffle=False, engine=engine, verbose=0)
    keras_own.fit(*data(), epochs=2, shuffle=False, verbose=0)
    one, other = (
        each.fit(*data(), epochs=1, shuffle=False, verbose=0) for each in (ours, keras_own)
    )
    np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_and_predict_take_what_fit_takes(kind):
    model = compiled()
    x, y = data()
    given = KINDS[kind]()
    measured = portable_models.evaluate(model, *((given,) if kind == "samples" else given))
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    assert measured == pytest.approx(expected, rel=2e-6)
    predicted = portable_models.predict(model, given if kind == "samples" else given[0])
    np.testing.assert_allclose(predicted, model.predict(x, verbose=0), rtol=2e-6, atol=2e-7)


def test_public_names_are_found():
    for name in ("files", "names", "evaluate", "predict", "fit", "fit_many", "cross_validate"):
        assert hasattr(portable_models, name), name


@pytest.mark.parametrize("engine", ENGINES)
def test_history_is_as_keras_gives_it(engine):
    x, y = data()
    ours, keras_own = compiled(), compiled()
    given = {
        "epochs": 3,
        "initial_epoch": 1,
        "validation_data": (x, y),
        "shuffle": False,
        "verbose": 0,
    }
    found = portable_models.fit(ours, x, y, engine=engine, **given)
    expected = keras_own.fit(x, y, **given)
    assert list(found.history) == list(expected.history)
    assert all(type(each) is float for values in found.history.values() for each in values)
    assert list(found.epoch) == expected.epoch == [1, 2]
    assert dict(found.params) == expected.params
    assert found.model is ours
    assert "order" in found.digests


def test_a_masked_array_is_left_to_keras():
    """Its mask is never dropped in silence: Keras refuses such data, or trains as it does by itself."""
    x, y = data()
    masked = np.ma.masked_array(x, mask=x > 1)
    outcomes = []
    for train in (keras.Model.fit, portable_models.fit):
        try:
            train(compiled(), masked, y, epochs=1, shuffle=False, verbose=0)
            outcomes.append("trained")
        except Exception as error:
            outcomes.append(type(error).__name__)
    assert outcomes[0] == outcomes[1]


def test_integers_of_numpy_are_taken():
    found = portable_models.fit(
        compiled(),
        *data(),
        epochs=np.int64(3),
        batch_size=np.int64(7),
        validation_data=data(),
        validation_freq=np.int64(2),
        verbose=0,
    )
    assert len(found.history["loss"]) == 3
    assert len(found.history["val_loss"]) == 1
