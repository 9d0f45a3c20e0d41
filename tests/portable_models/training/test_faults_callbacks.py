"""Callbacks see the training that ``Model.fit`` shows them, or the training falls back and says so once."""

import logging
import warnings

import keras
import numpy as np
import pytest
from keras import layers

import portable_models
from portable_models import portable_random
from portable_models.training import NotCompiledWarning

BACKEND = keras.backend.backend()


def data(rows=24):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, x[:, :1]


def network(optimizer="sgd", **compiled):
    with portable_random(0):
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(4, "relu", name="body"), layers.Dense(4, name="head")]
        )
    model.compile(**{"optimizer": optimizer, "loss": "mse", "metrics": ["mae"]} | compiled)
    return model


def fit(model, engine="compiled", **more):
    """``portable_models.fit``, with what it warns of."""
    x, y = data()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given = {"epochs": 3, "shuffle": False, "verbose": 0, "validation_data": (x, y)} | more
        found = portable_models.fit(model, x, y, engine=engine, **given)
    return found, [each for each in caught if issubclass(each.category, NotCompiledWarning)]


def model_fit(model, **more):
    x, y = data()
    given = {"epochs": 3, "shuffle": False, "verbose": 0, "validation_data": (x, y)} | more
    with portable_random(0):
        return model.fit(x, y, **given)


@pytest.fixture(autouse=True)
def short_trainings_compiled(monkeypatch):
    """Nothing falls back because it is short."""
    if BACKEND == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 0)


class Every(keras.callbacks.Callback):
    """Records the order of all hooks."""

    def __init__(self):
        super().__init__()
        self.order = []
        for name in dir(keras.callbacks.Callback):
            if name.startswith("on_"):
                setattr(self, name, lambda *args, name=name, **kwargs: self.order.append(name))


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_hooks_come_in_keras_order(engine):
    ours, keras_own = Every(), Every()
    fit(network(), engine, callbacks=[ours])
    model_fit(network(), callbacks=[keras_own])
    assert ours.order == keras_own.order


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_swapped_averages_are_what_is_validated(engine):
    def optimizer():
        return keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.9)

    def swap():
        return [keras.callbacks.SwapEMAWeights()]

    found, _ = fit(network(optimizer()), engine, callbacks=swap())
    expected = model_fit(network(optimizer()), callbacks=swap())
    raw = model_fit(network(optimizer()))
    # Some roundings of numbers of order 1 in three steps.
    np.testing.assert_allclose(found.history["val_loss"], expected.history["val_loss"], rtol=2e-6)
    assert abs(raw.history["val_loss"][-1] - expected.history["val_loss"][-1]) > 1e-3


class Freeze(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_layer("body").trainable = epoch != 1


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_freezing_a_layer_leaves_every_weight_in_its_place(engine):
    """Both kernels have one shape, so a change of places would go unnoticed."""
    ours, keras_own = network(), network()
    if BACKEND == "jax":
        # Keras: the optimizer was built for the variables that were trainable then.
        with pytest.raises(ValueError, match="optimizer_variables"):
            model_fit(keras_own, callbacks=[Freeze()])
        with pytest.raises(ValueError, match="optimizer_variables"):
            fit(ours, engine, callbacks=[Freeze()])
        return
    model_fit(keras_own, callbacks=[Freeze()])
    fit(ours, engine, callbacks=[Freeze()])
    assert [v.path.split("/")[-2:] for v in ours.weights] == [
        v.path.split("/")[-2:] for v in keras_own.weights
    ]
    for one, other in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=2e-7)


def test_terminate_on_nan_is_compiled():
    found, told = fit(network(), callbacks=[keras.callbacks.TerminateOnNaN()])
    assert (found.engine, found.engine_reason, told) == ("compiled", "", [])


COMPILED = {
    "EarlyStopping": lambda folder: keras.callbacks.EarlyStopping("loss", restore_best_weights=True),
    "ReduceLROnPlateau": lambda folder: keras.callbacks.ReduceLROnPlateau("loss"),
    "ModelCheckpoint": lambda folder: keras.callbacks.ModelCheckpoint(str(folder / "a.weights.h5"),
                                                                     save_weights_only=True),
    "CSVLogger": lambda folder: keras.callbacks.CSVLogger(str(folder / "log.csv")),
    "TerminateOnNaN": lambda folder: keras.callbacks.TerminateOnNaN(),
    "History": lambda folder: keras.callbacks.History(),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_callback_of_keras_that_watches_epochs_is_compiled(name, tmp_path):
    found, told = fit(network(), callbacks=[COMPILED[name](tmp_path)])
    assert (found.engine, found.engine_reason, told) == ("compiled", "", [])


class Mine(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("build", "more", "words"),
    [
        (network, {"callbacks": [Mine()]}, "Mine"),
        (lambda: network(run_eagerly=True), {}, "run_eagerly"),
    ],
    ids=["callback", "eager"],
)
def test_fallback_is_told_once_with_its_reason(build, more, words):
    found, told = fit(build(), **more)
    assert found.engine == "keras"
    assert words in found.engine_reason
    assert len(told) == 1
    assert words in str(told[0].message)


def test_engine_keras_that_was_asked_for_is_no_fallback():
    found, told = fit(network(), "keras")
    assert (found.engine, found.engine_reason, told) == ("keras", "", [])


def test_defect_of_ours_is_not_called_a_fallback(monkeypatch):
    from portable_models.training.engines.compiled_engine import CompiledEngine

    def broken(*_, **__):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(CompiledEngine, "compile", broken)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        fit(network())


@pytest.mark.skipif(BACKEND != "tensorflow", reason="retracing is TensorFlow's")
def test_trainings_in_a_row_warn_of_no_retracing(caplog):
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for rows in range(8, 16):
            model, (x, y) = network(), data(rows)
            portable_models.fit(model, x, y, epochs=2, verbose=0, validation_data=(x[:5], y[:5]))
    assert not [each for each in caplog.records if "retracing" in each.getMessage()]


@pytest.mark.skipif(BACKEND != "torch", reason="short trainings do not pay for tracing on PyTorch")
@pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_short_training_of_a_recurrent_network_is_not_traced(layer, monkeypatch):
    monkeypatch.undo()
    model = keras.Sequential([keras.Input((6, 2)), layer(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.zeros((40, 6, 2), "float32")
    for _ in range(2):  # the second time, too
        found = portable_models.fit(model, x, x[:, 0, :1], epochs=3, verbose=0)
        assert found.engine == "keras"
        assert "traced" in found.engine_reason
