"""Every name of section 6 becomes an object, its config reads back, and is the same on each backend."""

import json
import pathlib
import re

import keras
import numpy as np
import pytest

from portable_models import names

from .section_6 import (
    EVERYTHING,
    FUNCTION_ALIASES,
    INNER,
    METRIC_FUNCTIONS,
    NAMES,
    NEEDED,
    class_name,
)

# Written once with the function `configs` below, on JAX; each backend is held to it.
GOLDEN = json.loads((pathlib.Path(__file__).parent / "configs.json").read_text())


def make(kind, name):
    arguments = dict(NEEDED.get(name, {}))
    if name == "LossScaleOptimizer":
        arguments["inner_optimizer"] = names.optimizer(INNER)
    if kind in ("loss", "metric", "optimizer"):
        arguments["name"] = "mine"
    return getattr(names, kind)(name, **arguments)


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def configs():
    return {f"{kind} {name}": names.serialize(make(kind, name)) for kind, name in EVERYTHING}


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_a_class_name_becomes_an_object_of_that_class(kind, name):
    made = make(kind, name)
    assert type(made).__name__ == class_name(kind, name)


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_a_snake_case_name_becomes_the_same(kind, name):
    # "accuracy" is the one snake-case name that stands for no single object.
    snake = snake_case(name)
    if snake == "accuracy":
        with pytest.raises(names.UnknownNameError, match="is no single metric"):
            names.metric(snake)
    else:
        assert type(make(kind, name)) is type(getattr(names, kind)(snake, **arguments(kind, name)))


def arguments(kind, name):
    inner = {"inner_optimizer": names.optimizer(INNER)} if name == "LossScaleOptimizer" else {}
    return {**NEEDED.get(name, {}), **inner}


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_a_config_survives_json_and_becomes_an_equal_object(kind, name):
    config = json.loads(json.dumps(names.serialize(make(kind, name))))
    again = getattr(names, kind)(config)
    assert type(again).__name__ == class_name(kind, name)
    assert names.serialize(again) == names.serialize(make(kind, name))


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_a_config_is_the_same_on_every_backend(kind, name):
    config = json.loads(json.dumps(names.serialize(make(kind, name))))
    assert config == GOLDEN[f"{kind} {name}"]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_keras_reads_the_config_too(kind, name):
    again = keras.saving.deserialize_keras_object(names.serialize(make(kind, name)))
    assert type(again).__name__ == class_name(kind, name)


def test_the_golden_configs_are_those_of_section_6():
    assert set(GOLDEN) == {f"{kind} {name}" for kind, name in EVERYTHING}


@pytest.mark.parametrize("kind", NAMES)
def test_every_listed_name_is_known(kind):
    assert set(NAMES[kind]) <= set(names.known_names()[kind])


@pytest.mark.parametrize("name", METRIC_FUNCTIONS)
def test_a_function_is_found_by_its_name(name):
    assert names.metric_function(name) is getattr(keras.metrics, name)


@pytest.mark.parametrize(("alias", "name"), FUNCTION_ALIASES.items())
def test_a_function_is_found_by_its_alias(alias, name):
    assert names.metric_function(alias) is getattr(keras.metrics, name)
    assert names.loss_function(alias.lower()) is getattr(keras.losses, name)


@pytest.mark.parametrize("name", METRIC_FUNCTIONS)
def test_a_function_survives_a_config(name):
    function = names.metric_function(name)
    found = names.metric(json.loads(json.dumps(names.serialize(function))))
    if name.endswith("_crossentropy"):
        assert type(found).__name__ == "MeanOfProbabilities"
        assert found.name == name
    else:
        assert found is function


@pytest.mark.parametrize("name", METRIC_FUNCTIONS)
def test_a_function_gives_one_value_per_sample_and_its_metric_the_mean(name):
    y_true, y_pred = samples(name)
    values = keras.ops.convert_to_numpy(names.metric_function(name)(y_true, y_pred))
    assert len(values) == len(y_true)
    metric = names.metric(name)
    metric.update_state(y_true, y_pred)
    # One sum of 6 values in float32.
    np.testing.assert_allclose(float(metric.result()), values.mean(), rtol=8e-7)


def samples(name):
    predictions = np.random.default_rng(5).dirichlet(np.ones(7), 6).astype("float32")
    labels = np.array([0, 3, 6, 1, 2, 5])
    one_hot = np.eye(7, dtype="float32")[labels]
    return (labels if name.startswith("sparse") else one_hot), predictions
