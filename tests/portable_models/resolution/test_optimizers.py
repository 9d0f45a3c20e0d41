"""Optimizers in every spelling, and what people still write for Keras 2."""

import keras
import pytest

from portable_models.resolution import ArgumentsError, UnknownNameError, resolve_optimizer
from portable_models.training.compiling import make_optimizer

PLAIN = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "RMSprop",
    "SGD",
    "Lamb",
    "Muon",
]


def settings(optimizer):
    """Its config without the name, in which Keras counts."""
    return {key: value for key, value in optimizer.get_config().items() if key != "name"}


@pytest.mark.parametrize("name", PLAIN)
def test_every_spelling_is_one_optimizer(name):
    made = getattr(keras.optimizers, name)
    spellings = [
        name,
        name.lower(),
        name.upper(),
        made,
        made(),
        {"class_name": name, "config": {}},
        {"class_name": name.lower()},
        keras.optimizers.serialize(made()),
    ]
    wanted = settings(made())
    for spelling in spellings:
        found = make_optimizer(spelling)
        assert isinstance(found, made)
        assert settings(found) == wanted
        assert found is not spelling


def test_an_object_stays_the_same_where_nothing_is_made_anew():
    optimizer = keras.optimizers.SGD(0.1)
    assert resolve_optimizer(optimizer) is optimizer


@pytest.mark.parametrize("schedule", [True, False], ids=["schedule", "rate"])
def test_an_object_is_made_anew_with_its_settings(schedule):
    rate = keras.optimizers.schedules.CosineDecay(0.1, 5) if schedule else 0.25
    given = keras.optimizers.AdamW(rate, weight_decay=0.1, clipnorm=2.0, use_ema=True)
    given.build([keras.Variable([1.0])])
    made = make_optimizer(given)
    assert made is not given
    assert settings(made) == settings(given)
    assert not made.built


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"class_name": "SGD", "config": {"lr": 0.1}}, "lr is called learning_rate"),
        ({"class_name": "Adam", "config": {"decay": 1e-6}}, r"schedules.InverseTimeDecay\(.*decay"),
    ],
)
def test_arguments_of_keras_2_get_a_hint(given, hint):
    with pytest.raises(ArgumentsError, match=hint) as caught:
        make_optimizer(given)
    assert "\n" not in str(caught.value)


def test_both_arguments_of_keras_2_are_told_at_once():
    from portable_models import names

    with pytest.raises(ArgumentsError, match="lr is called learning_rate; decay is a schedule"):
        names.optimizer("sgd", lr=0.1, decay=1e-6)


def test_what_is_no_optimizer_is_told():
    with pytest.raises(UnknownNameError, match="unknown optimizer 'adamm': did you mean Adam"):
        resolve_optimizer("adamm")
    with pytest.raises(UnknownNameError, match="given by name, config or object; got None"):
        resolve_optimizer(None)
