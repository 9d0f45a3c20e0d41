"""Plain PyTorch training of an exported folder goes the way of the Keras model's own training."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import torch_module_zoo as zoo
from keras import layers

from portable_models.export import torch_module
from portable_models.export.torch_module import load_into_keras, write_torch_module
from portable_models.export.torch_module.source import generate

STEPS, BATCH = 50, 8

# Two correct trainings differ by rounding, which 50 steps let grow. Measured on the three backends: losses
# up to 7e-6 and weights up to 3.1e-5 of their scale. PyTorch's own epsilon for Adam gives 1.2e-4 and 5.9e-4.
LOSS_RELATIVE, WEIGHT_RELATIVE = 2e-5, 1e-4


def dense():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "tanh", kernel_regularizer=keras.regularizers.L1L2(1e-3, 1e-2)),
            layers.Dense(4, "tanh", kernel_constraint=keras.constraints.MaxNorm(1.0)),
            layers.Dense(1),
        ]
    )


def convolution():
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, padding="same", activation="softplus"),
            layers.BatchNormalization(momentum=0.8),
            layers.AveragePooling2D(2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )


def recurrent():
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(4),
            layers.Dense(1),
        ]
    )


def transformer():
    x = keras.Input((5, 8))
    y = layers.GlobalAveragePooling1D()(zoo.Block(rate=0.0)(x))
    return keras.Model(x, layers.Dense(1)(zoo.Scale()(y)))


SGD = (
    lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    {"optimizer": {"name": "SGD", "lr": 0.05, "momentum": 0.9}},
)
NESTEROV = (
    lambda: keras.optimizers.SGD(0.02, momentum=0.8, nesterov=True),
    {"optimizer": {"name": "SGD", "lr": 0.02, "momentum": 0.8, "nesterov": True}},
)
# A large epsilon, so that where it is added shows: with Keras's default of 1e-7 it hardly does.
ADAM = (
    lambda: keras.optimizers.Adam(0.01, epsilon=1e-3),
    {"optimizer": {"name": "Adam", "lr": 0.01, "betas": [0.9, 0.999]}, "keras_epsilon": 1e-3},
)
SAME_EPSILON = (ADAM[0], {"optimizer": {**ADAM[1]["optimizer"], "eps": 1e-3}})
CASES = {
    "dense-sgd": (dense, SGD),
    "dense-adam": (dense, ADAM),
    "convolution-nesterov": (convolution, NESTEROV),
    "recurrent-adam": (recurrent, ADAM),
    "transformer-sgd": (transformer, SGD),
}
FAULTY = {"dense-same-epsilon": (dense, SAME_EPSILON)}


def data_for(model):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((STEPS * BATCH, *model.input_shape[1:])).astype("float32")
    y = np.tanh(x.reshape(len(x), -1)[:, :3].sum(axis=1, keepdims=True)).astype("float32")
    return x, y


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Each case: the Keras model after 50 steps, its losses, and those of PyTorch without Keras."""
    root = tmp_path_factory.mktemp("trained")
    isolated = Path(torch_module.__file__).with_name("isolated.py")
    trainer = Path(zoo.__file__).with_name("torch_trainer.py")
    command = [sys.executable, "-I", str(trainer), str(isolated)]
    own = {}
    for name, (build, (optimizer, settings)) in (CASES | FAULTY).items():
        model = build()
        zoo.randomise(model)  # the same start on every backend
        x, y = data_for(model)
        write_torch_module(model, root / name)
        asked = {**settings, "steps": STEPS, "batch": BATCH, "inputs": 1}
        (root / f"{name}.json").write_text(json.dumps(asked))
        np.savez(root / f"{name}.data.npz", x0=x, y=y)
        files = (name, f"{name}.json", f"{name}.data.npz", f"{name}.answer.npz")
        command += [str(root / file) for file in files]
        model.compile(optimizer(), "mse")
        batches = (slice(i * BATCH, (i + 1) * BATCH) for i in range(STEPS))
        own[name] = model, [float(model.train_on_batch(x[b], y[b])) for b in batches]
    subprocess.run(command, check=True)
    return {name: (*pair, dict(np.load(root / f"{name}.answer.npz"))) for name, pair in own.items()}


def scaled(actual, expected):
    return np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-2)


def differences(trained, name):
    """How far losses and weights are apart, as shares of their scales."""
    model, losses, answer = trained[name]
    weights = {
        key: keras.ops.convert_to_numpy(variable)
        for key, variable in generate(model).weights.items()
    }
    assert weights.keys() == answer.keys() - {"losses"}
    assert len(losses) == len(answer["losses"]) == STEPS
    worst = max(scaled(answer[key], value) for key, value in weights.items())
    return scaled(answer["losses"], losses), worst


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_of_plain_pytorch_follow_keras(trained, name):
    losses, weights = differences(trained, name)
    assert losses < LOSS_RELATIVE
    assert weights < WEIGHT_RELATIVE


def test_an_epsilon_that_means_something_else_is_told_apart(trained):
    losses, weights = differences(trained, "dense-same-epsilon")
    assert losses > LOSS_RELATIVE
    assert weights > WEIGHT_RELATIVE


def test_what_plain_pytorch_learned_goes_back_into_keras(trained):
    model, _, answer = trained["convolution-nesterov"]
    fresh = convolution()
    x, _ = data_for(model)
    before = fresh.predict_on_batch(x[:9])
    load_into_keras({key: value for key, value in answer.items() if key != "losses"}, fresh)
    after, wanted = fresh.predict_on_batch(x[:9]), model.predict_on_batch(x[:9])
    assert scaled(after, wanted) < WEIGHT_RELATIVE < scaled(before, wanted)


def test_state_of_another_model_is_not_taken():
    model = dense()
    weights = [np.array(keras.ops.convert_to_numpy(w)) for w in model.weights]
    with pytest.raises(ValueError, match=r"of another model: expected the keys .*missing are"):
        load_into_keras({"dense.kernel": np.zeros((6, 8), "float32")}, model)
    shapes = {key: np.zeros((1, 1)) for key in generate(model).weights}
    with pytest.raises(ValueError, match=r"of another model: \S+ has shape \(1, 1\), \S+ has \("):
        load_into_keras(shapes, model)
    for old, new in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(new))
