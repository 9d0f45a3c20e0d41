"""Trainings with one thing wrong, each as an engine could have it wrong: the harness must find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from reference import SEED, model_fit

import portable_models

Train = Callable[[Any, dict[str, Any]], Any]


def with_rate(model: Any, fit: dict[str, Any]) -> Any:
    model.optimizer.learning_rate = 1.001 * float(model.optimizer.learning_rate)
    return model_fit(model, fit)


def without_last_batch(model: Any, fit: dict[str, Any]) -> Any:
    size = fit["batch_size"]
    whole = len(fit["x"]) // size * size
    return model_fit(model, fit | {"x": fit["x"][:whole], "y": fit["y"][:whole]})


def with_stale_average(model: Any, fit: dict[str, Any]) -> Any:
    model.optimizer.finalize_variable_values = lambda trainable_variables: None
    try:
        return model_fit(model, fit)
    finally:
        del model.optimizer.finalize_variable_values


def with_patch_left(model: Any, fit: dict[str, Any]) -> Any:
    history = model_fit(model, fit)
    model.optimizer.finalize_variable_values = model.optimizer.finalize_variable_values
    return history


class LateTestHooks(keras.callbacks.Callback):
    """Tells another callback of validation when it is over: both hooks, in a row."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
        for name in dir(keras.callbacks.Callback):
            if name.startswith("on_") and name not in ("on_test_begin", "on_test_end"):
                setattr(self, name, getattr(inner, name))

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self.inner.set_model(model)

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        self.inner.set_params(params)

    def on_test_end(self, logs: Any = None) -> None:
        self.inner.on_test_begin()
        self.inner.on_test_end(logs)


def with_late_test_hooks(model: Any, fit: dict[str, Any]) -> Any:
    return model_fit(model, fit | {"callbacks": [LateTestHooks(each) for each in fit["callbacks"]]})


def with_callbacks_in_another_order(model: Any, fit: dict[str, Any]) -> Any:
    return model_fit(model, fit | {"callbacks": fit["callbacks"][::-1]})


def editing_logs(edit: Callable[[dict[str, Any]], None]) -> Train:
    class Edit(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            edit(logs)

    def train(model: Any, fit: dict[str, Any]) -> Any:
        return model_fit(model, fit | {"callbacks": [*(fit.get("callbacks") or []), Edit()]})

    return train


def reorder(logs: dict[str, Any]) -> None:
    first = next(iter(logs))
    logs[first] = logs.pop(first)


def validation_for_training(logs: dict[str, Any]) -> None:
    logs["tp"] = logs.get("val_tp", logs["tp"] - 1)


def with_weights_swapped(model: Any, fit: dict[str, Any]) -> Any:
    history = model_fit(model, fit)
    one, other = (
        layer.bias for layer in model.layers if layer.name in ("body", "drop", "head")[::2]
    )
    value = np.array(one.numpy())
    value[0], first = np.array(other.numpy())[0], value[0]
    one.assign(value)
    other.assign([first])
    return history


def with_seed_generator_held(model: Any, fit: dict[str, Any]) -> Any:
    seeds = [v for v in model.variables if v.path.endswith("seed_generator_state")]
    before = [np.array(v.numpy()) for v in seeds]
    history = model_fit(model, fit)
    assert seeds
    for variable, value in zip(seeds, before, strict=True):
        variable.assign(value)
    return history


def with_another_seed(model: Any, fit: dict[str, Any]) -> Any:
    with portable_models.portable_random(SEED + 1):
        return model.fit(**{"verbose": 0, **fit, "shuffle": False})


def outside_portable_random(model: Any, fit: dict[str, Any]) -> Any:
    return model.fit(**{"verbose": 0, **fit, "shuffle": False})


def without(*names: str) -> Train:
    def train(model: Any, fit: dict[str, Any]) -> Any:
        return model_fit(model, {name: value for name, value in fit.items() if name not in names})

    return train


def changed(**more: Any) -> Train:
    return lambda model, fit: model_fit(model, fit | more)


def backwards(model: Any, fit: dict[str, Any]) -> Any:
    return model_fit(model, fit | {"x": fit["x"][::-1], "y": fit["y"][::-1]})


def compiled_with_defaults(model: Any, fit: dict[str, Any]) -> Any:
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model_fit(model, fit)


def with_a_fresh_optimizer(model: Any, fit: dict[str, Any]) -> Any:
    model.compile("adam", "mse", metrics=["mae"])
    return model_fit(model, fit)


def with_weights_of_the_last_epoch(model: Any, fit: dict[str, Any]) -> Any:
    for callback in fit["callbacks"]:
        callback.restore_best_weights = False
    return model_fit(model, fit)


def one_epoch_more(model: Any, fit: dict[str, Any]) -> Any:
    return model_fit(model, fit | {"epochs": fit["epochs"] + 1})


PLANTED: dict[str, tuple[str, Train]] = {
    "learning rate off by 0.1 %": ("optimizing/sgd", with_rate),
    "last batch dropped": ("feeding/float16_and_flat_targets", without_last_batch),
    "averages not put in place": ("optimizing/ema", with_stale_average),
    "a method of the optimizer left patched": ("optimizing/ema", with_patch_left),
    "on_test_begin after validation": ("watching/swap_ema_weights", with_late_test_hooks),
    "on_test_begin after validation, seen": (
        "looking/other_weights_in_validation",
        with_late_test_hooks,
    ),
    "callbacks in another order": (
        "looking/monitor_of_a_made_up_value",
        with_callbacks_in_another_order,
    ),
    "a log of the step dropped": ("steps/extra_log", editing_logs(lambda logs: logs.pop("extra"))),
    "a log more": ("steps/extra_log", editing_logs(lambda logs: logs.update(more=1.0))),
    "logs in another order": ("steps/extra_log", editing_logs(reorder)),
    "counts of validation as training's": (
        "targets/imbalanced_with_class_weight",
        editing_logs(validation_for_training),
    ),
    "two weights in each other's place": ("watching/csv_logger", with_weights_swapped),
    "seed generator put back": ("settings/batch_size_one", with_seed_generator_held),
    "other masks": ("settings/batch_size_one", outside_portable_random),
    "draws of another seed": ("text/next_word", with_another_seed),
    "class weights ignored": ("settings/class_weight", without("class_weight")),
    "sample weights ignored": ("settings/sample_weight", without("sample_weight")),
    "no validation": ("settings/run_eagerly", without("validation_data")),
    "initial_epoch ignored": ("settings/initial_epoch", without("initial_epoch")),
    "validation in every epoch": ("settings/validation_freq_number", without("validation_freq")),
    "other validation steps": ("settings/validation_steps", without("validation_steps")),
    "one epoch more": ("settings/batch_size_one", one_epoch_more),
    "steps_per_epoch ignored": (
        "feeding/tf_data_repeated_with_weights",
        changed(steps_per_epoch=4),
    ),
    "another order of samples": ("feeding/float16_and_flat_targets", backwards),
    "what was compiled ignored": ("settings/compiled_twice", compiled_with_defaults),
    "optimizer made anew for the second fit": ("settings/two_fits", with_a_fresh_optimizer),
    "best weights not restored": (
        "watching/early_stopping_restores",
        with_weights_of_the_last_epoch,
    ),
    "training that went on after its stop": (
        "watching/early_stopping_restores",
        without("callbacks"),
    ),
    "no files": ("watching/model_checkpoint_every_epoch", without("callbacks")),
    "a callback that is never called": ("changing/learning_rate_in_callback", without("callbacks")),
    "NaN hidden": ("watching/nan_to_the_end", editing_logs(lambda logs: logs.update(loss=0.0))),
    "wrong steps in params": (
        "looking/iterations_and_params_in_callback",
        lambda model, fit: _with_params(model_fit(model, fit)),
    ),
}


def _with_params(history: Any) -> Any:
    history.params = history.params | {"steps": history.params["steps"] + 1}
    return history
