"""What a training changes for its time is put back on every way out; two threads give no wrong numbers."""

import gc
import sys
import threading

import keras
import numpy as np
import pytest
from keras import layers
from keras.src import backend as keras_backend

import portable_models
from portable_models import portable_random

# A fallback is allowed here; that it is told is tested in test_faults_callbacks.py.
pytestmark = pytest.mark.filterwarnings("ignore:Model.fit runs this training")

ENGINES = ("compiled", "keras")


def data(rows=24):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, x[:, :1]


def network(optimizer="adam", seed=0):
    with portable_random(seed):
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(5, "relu"), layers.Dropout(0.3), layers.Dense(1)]
        )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def averaging():
    return network(keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.5))


def scaled():
    return network(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)))


def state(model):
    """Everything that belongs to Keras, to the frameworks and to the process, by name."""
    optimizers = [model.optimizer, getattr(model.optimizer, "inner_optimizer", model.optimizer)]
    found = {
        f"random.{name}": value
        for name, value in vars(keras_backend.random).items()
        if callable(value)
    }
    found |= {
        f"{type(each).__name__}.{name}": getattr(type(each), name, None)
        for each in (model, *model.layers, *optimizers)
        for name in dir(type(each))
        if callable(getattr(type(each), name, None))
    }
    found |= {
        "replaced on objects": [
            sorted(name for name, value in vars(each).items() if callable(value) and name[0] != "_")
            for each in (*model.layers, *optimizers)
        ],
        "functions of the model": sorted(
            name
            for name in vars(model)
            if callable(vars(model)[name]) and hasattr(keras.Model, name)
        ),
        "orthogonal": keras.initializers.Orthogonal.__call__,
        "meta_path": list(sys.meta_path),
        "gc": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
    }
    if keras.backend.backend() == "torch":
        import torch

        found |= {
            "torch threads": torch.get_num_threads(),
            "torch deterministic": torch.are_deterministic_algorithms_enabled(),
            "torch grad": torch.is_grad_enabled(),
        }
    return found


class StoppedError(Exception):
    """What a user's callback raises."""


class Raising(keras.callbacks.Callback):
    def __init__(self, hook, error):
        super().__init__()

        def fail(*_, **__):
            raise error

        setattr(self, hook, fail)


HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_test_begin", "on_train_end")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "error", [StoppedError("mine"), KeyboardInterrupt(), SystemExit(3)], ids=repr
)
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("build", [averaging, scaled])
def test_everything_is_put_back_when_a_callback_raises(build, hook, error, engine):
    model = build()
    portable_models.fit(model, *data(), engine=engine, verbose=0)  # whatever is made once, is
    before = state(model)
    with pytest.raises(type(error)):
        portable_models.fit(
            model,
            *data(),
            epochs=3,
            validation_data=data(),
            callbacks=[Raising(hook, error)],
            engine=engine,
            verbose=0,
        )
    assert _changed(before, state(model)) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_is_put_back_when_a_step_raises(engine):
    class Failing(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            if self.fails:
                raise StoppedError("in the step")
            return super().compute_loss(*args, **kwargs)

    model = Failing(network().layers)
    model.fails = False
    model.compile(keras.optimizers.Adam(use_ema=True), "mse")
    portable_models.fit(model, *data(), engine=engine, verbose=0)
    before = state(model)
    model.fails = True
    model.train_function = None
    with pytest.raises(StoppedError, match="in the step"):
        portable_models.fit(model, *data(11), batch_size=11, engine=engine, verbose=0)
    assert _changed(before, state(model)) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_is_put_back_after_a_good_training(engine):
    model = averaging()
    portable_models.fit(model, *data(), engine=engine, verbose=0)
    before = state(model)
    portable_models.fit(model, *data(), epochs=2, validation_data=data(), engine=engine, verbose=0)
    assert _changed(before, state(model)) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_model_fit_after_an_interrupted_training_averages_as_ever(engine):
    def finish(interrupt):
        model = averaging()
        if interrupt:
            with pytest.raises(StoppedError):
                portable_models.fit(
                    model,
                    *data(),
                    callbacks=[Raising("on_train_begin", StoppedError())],
                    engine=engine,
                    verbose=0,
                )
        with portable_random(1):
            model.fit(*data(), epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    for one, other in zip(finish(True), finish(False), strict=True):
        np.testing.assert_array_equal(one, other)


def _changed(before, after):
    return {
        name: (before[name], after.get(name)) for name in before if before[name] != after.get(name)
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_two_threads_get_the_numbers_of_one_or_a_clear_error(engine):
    before = state(network())
    expected = [trained(seed, engine) for seed in (0, 1)]
    outcomes: list = [None, None]
    start = threading.Barrier(2)

    def work(seed):
        start.wait()
        try:
            outcomes[seed] = trained(seed, engine)
        except Exception as error:
            outcomes[seed] = error

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome, right in zip(outcomes, expected, strict=True):
        if isinstance(outcome, Exception):
            assert isinstance(outcome, RuntimeError)
            assert "thread" in str(outcome)
            continue
        for one, other in zip(outcome, right, strict=True):
            # Both ran the same operations; XLA may add up in another order under another thread.
            np.testing.assert_allclose(one, other, rtol=2e-6, atol=2e-6)
    assert any(not isinstance(each, Exception) for each in outcomes)
    assert (
        _changed(
            {name: value for name, value in before.items() if name.startswith("random.")},
            state(network()),
        )
        == {}
    )


def trained(seed, engine):
    model = network(seed=seed)
    portable_models.fit(model, *data(), epochs=5, batch_size=4, seed=seed, engine=engine, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_the_step_is_the_one_that_is_raised(engine):
    """On JAX Keras takes the variables' values before a step, and may raise an error about that."""

    class Failing(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            try:
                return {}["missing"] if self.fails else super().compute_loss(*args, **kwargs)
            except KeyError:
                raise TypeError("mine") from None

    model = Failing(network().layers)
    model.fails = False
    model.compile(keras.optimizers.Adam(), "mse")
    portable_models.fit(model, *data(), engine=engine, verbose=0)
    model.fails, model.train_function = True, None
    for _ in range(2):
        with pytest.raises(TypeError, match="mine"):
            portable_models.fit(model, *data(11), batch_size=11, engine=engine, verbose=0)


def test_a_second_fit_with_averaged_weights_goes_on():
    """On JAX plain ``Model.fit`` refuses: the first one left weights and averages in one buffer."""
    model = averaging()
    first = portable_models.fit(model, *data(), epochs=2, engine="keras", verbose=0)
    second = portable_models.fit(model, *data(), epochs=2, engine="keras", verbose=0)
    assert second.history["loss"][-1] < first.history["loss"][0]
