"""Random outputs are found and refused; noise never becomes a tolerance."""

import json
import os

import keras
import numpy as np
import pytest
from keras import layers
from random_layers import Sampling

from portable_models.export import export, reference
from portable_models.export.inspection import view
from portable_models.export.randomness import find_random

TARGET = {"jax": "jax", "tensorflow": "saved_model", "torch": "torch"}[os.environ["KERAS_BACKEND"]]
NAME = "model.pt2" if TARGET == "torch" else "model"


def autoencoder():
    x = keras.Input((4,), name="x")
    mean, spread = layers.Dense(2, name="mean")(x), layers.Dense(2, name="spread")(x)
    return keras.Model(x, {"mean": mean, "sample": Sampling(name="sample")([mean, spread])})


INPUTS = [np.random.default_rng(0).standard_normal((5, 4)).astype("float32")]


def test_the_random_output_is_named_and_the_other_is_not():
    found = find_random(view(autoencoder()), INPUTS, reference._outputs)
    assert list(found) == ["sample"]
    assert found["sample"] > 0.1


def test_dropout_is_not_random_in_inference():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(2)(layers.Dropout(0.5)(x)))
    assert find_random(view(model), INPUTS, reference._outputs) == {}


def test_states_of_generators_are_put_back():
    model = autoencoder()
    state = model.get_layer("sample").seed_generator.state
    before = np.array(keras.ops.convert_to_numpy(state))
    reference._outputs(view(model), INPUTS)
    drawn = np.array(keras.ops.convert_to_numpy(state)) - before
    find_random(view(model), INPUTS, lambda seen, inputs: [np.zeros(1), np.zeros(1)])
    after = np.array(keras.ops.convert_to_numpy(state))
    # What a run itself moves is one step of the counter; the other seed is gone.
    assert after[0] == before[0]
    assert abs(int(after[1]) - int(before[1])) <= 4 * max(1, *drawn)


def test_random_model_is_refused_with_what_to_do(tmp_path):
    result = export(autoencoder(), TARGET, tmp_path / NAME)
    assert result.status == "refused"
    assert "outputs are random" in result.reason
    assert "'sample'" in result.reason
    assert "--allow-random" in result.reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.all_exports
def test_allowed_random_outputs_are_not_called_verified(tmp_path):
    result = export(autoencoder(), TARGET, tmp_path / NAME, allow_random=True)
    assert (result.status, result.reason) == ("unverified", "not compared, because random: sample")
    assert result.checks
    assert not any("sample" in check.name for check in result.checks)
    card = json.loads((tmp_path / f"{NAME}.card.json").read_text())
    assert card["verified"]["status"] == "unverified"
