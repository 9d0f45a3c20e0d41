"""The exported module behaves as a torch.nn.Module should."""

import copy

import keras
import numpy as np
import pytest
import torch
import torch_module_zoo as zoo
from keras import layers, ops
from torch_module_checks import call, close, keras_call, keras_training_call, random

from portable_models.export.errors import RefusedError
from portable_models.export.torch_module import to_torch_module, write_torch_module
from portable_models.export.torch_module.isolated import load_folder
from portable_models.export.torch_module.source import generate


def tensors(model, batch=5):
    return [torch.from_numpy(v) for v in keras.tree.flatten(zoo.inputs_of(model, batch))]


@pytest.fixture(scope="module")
def built():
    models = {name: zoo.build(name) for name in zoo.MODELS}
    return {name: (model, to_torch_module(model)) for name, model in models.items()}


@pytest.mark.parametrize("name", zoo.MODELS)
def test_state_dict_loads_into_a_second_build_of_the_same_code(built, name):
    _, net = built[name]
    second = to_torch_module(zoo.MODELS[name]())
    second.load_state_dict(net.state_dict(), strict=True)
    assert [key for key, _ in second.named_parameters()] == [k for k, _ in net.named_parameters()]


@pytest.mark.parametrize("name", zoo.MODELS)
def test_deepcopy_is_a_module_of_its_own(built, name):
    model, net = built[name]
    copied = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    inputs = zoo.inputs_of(model, 5)
    expected = keras_call(model, inputs)
    for actual, wanted in zip(call(net, *keras.tree.flatten(inputs)), expected, strict=True):
        close(actual, wanted)


@pytest.mark.parametrize("name", zoo.MODELS)
def test_module_moves_to_float64_and_back(built, name):
    model, net = built[name]
    inputs = tensors(model)
    single = keras.tree.flatten(net(*inputs))
    double = keras.tree.flatten(copy.deepcopy(net).to(torch.float64)(*inputs))
    back = keras.tree.flatten(copy.deepcopy(net).to(torch.float64).to(torch.float32)(*inputs))
    for one, two, three in zip(single, double, back, strict=True):
        assert two.dtype == torch.float64
        assert torch.equal(one, three)
        # In float64 the module is nearer to the truth: float32 is within its own rounding of it.
        assert (one.double() - two).abs().max() <= 2e-6 * two.abs().max()


@pytest.mark.parametrize("name", zoo.MODELS)
def test_module_computes_on_the_device_it_is_moved_to(built, name):
    model, net = built[name]
    outputs = copy.deepcopy(net).to("meta")(*[value.to("meta") for value in tensors(model)])
    assert {value.device.type for value in keras.tree.flatten(outputs)} == {"meta"}


@pytest.mark.parametrize("name", zoo.MODELS)
def test_every_parameter_is_live(built, name):
    model, net = built[name]
    net = copy.deepcopy(net)
    inputs = tensors(model)
    outputs = keras.tree.flatten(net(*inputs))
    weights = [torch.randn_like(value) for value in outputs]
    sum((v * w).sum() for v, w in zip(outputs, weights, strict=True)).backward()
    assert {name for name, p in net.named_parameters() if p.grad is None} == set()
    assert len(list(net.parameters())) == len(model.trainable_variables)


@pytest.mark.parametrize("name", ["mlp", "cnn", "several", "custom"])
def test_module_passes_through_compile_as_one_graph(built, name):
    model, net = built[name]
    # Without code generation: what is tested is that the whole module is one traceable graph.
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    inputs = tensors(model)
    pairs = zip(
        keras.tree.flatten(net(*inputs)), keras.tree.flatten(compiled(*inputs)), strict=True
    )
    assert all(torch.equal(eager, traced) for eager, traced in pairs)


DROPPING = {
    "dropout": lambda: layers.Dropout(0.4),
    "noise-shape": lambda: layers.Dropout(0.4, noise_shape=(None, 1, None)),
    "spatial": lambda: layers.SpatialDropout1D(0.4),
    "alpha": lambda: layers.AlphaDropout(0.4),
    "gaussian": lambda: layers.GaussianDropout(0.4),
    "noise": lambda: layers.GaussianNoise(0.4),
}


@pytest.mark.parametrize("name", DROPPING)
def test_random_layer_follows_train_and_eval_and_draws_as_keras_does(name):
    x = keras.Input((50, 40))
    model = keras.Model(x, DROPPING[name]()(x))
    net = to_torch_module(model)
    inputs = 1 + random((30, 50, 40))
    np.testing.assert_array_equal(call(net, inputs)[0], inputs)
    torch.manual_seed(0)
    actual, expected = call(net.train(), inputs)[0], keras_training_call(model, inputs)
    # 1,200 independent draws at least: the standard error of a mean is below 0.05.
    assert abs(actual.mean() - expected.mean()) < 0.15
    assert abs(actual.std() - expected.std()) < 0.15
    assert abs((actual == 0).mean() - (expected == 0).mean()) < 0.06
    whole = [(value == 0).all(axis=1).mean() for value in (actual, expected)]
    assert abs(whole[0] - whole[1]) < 0.06
    np.testing.assert_array_equal(call(net.eval(), inputs)[0], inputs)


def test_recurrent_dropout_is_drawn_in_training_only():
    x = keras.Input((4, 3))
    model = keras.Model(x, layers.LSTM(5, dropout=0.3, recurrent_dropout=0.3)(x))
    net, inputs = to_torch_module(model), random((6, 4, 3))
    close(call(net, inputs)[0], keras_call(model, inputs)[0])
    net.train()
    assert (call(net, inputs)[0] != call(net, inputs)[0]).any()


def test_custom_layer_of_layers_follows_train_and_eval():
    x = keras.Input((4, 8))
    net = to_torch_module(keras.Model(x, zoo.Block(rate=0.5)(x)))
    inputs = random((3, 4, 8))
    np.testing.assert_array_equal(call(net, inputs)[0], call(net, inputs)[0])
    net.train()
    assert (call(net, inputs)[0] != call(net, inputs)[0]).any()


def test_frozen_layers_stay_frozen():
    model = zoo.build("cnn")
    model.layers[0].trainable = False
    frozen = {n for n, p in to_torch_module(model).named_parameters() if not p.requires_grad}
    assert frozen == {"conv2d.kernel"}


def test_names_are_those_of_the_layers_and_automatic_ones_count_from_the_start():
    x = keras.Input((3,))
    y = layers.Dense(2, name="my-head 1")(layers.Dense(4)(layers.Dense(4)(x)))
    keys = list(to_torch_module(keras.Model(x, y)).state_dict())
    assert keys == [
        f"{name}.{weight}"
        for name in ("dense", "dense_1", "my_head_1")
        for weight in ("kernel", "bias")
    ]


def test_hostile_names_do_not_become_code(tmp_path):
    name = 'x"""\nraise SystemExit(3)\n"""; raise SystemExit(3) #'
    x = keras.Input((3,), name="lambda")
    y = keras.Model(x, layers.Dense(2, name="forward")(layers.Dense(2, name=name)(x)), name=name)
    write_torch_module(y, tmp_path / "out")
    text = (tmp_path / "out" / "model.py").read_text()
    assert "Exit(3)" not in text
    net = load_folder(tmp_path / "out").load()
    assert list(net.state_dict())[-1] == "forward_.bias"


def test_penalties_and_constraints_are_kerass():
    x = keras.Input((4,))
    y = layers.Dense(
        3,
        kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.1, "columns"),
        bias_regularizer=keras.regularizers.L1(0.2),
        kernel_constraint=keras.constraints.MinMaxNorm(0.5, 0.9, 0.7),
        bias_constraint="non_neg",
    )(x)
    model = keras.Model(x, layers.Dense(1, kernel_constraint="unit_norm")(y))
    zoo.randomise(model)
    net = to_torch_module(model)
    close(net.regularization_loss().detach().numpy(), ops.convert_to_numpy(sum(model.losses)))
    net.apply_constraints()
    for key, variable in generate(model).weights.items():
        if variable.constraint is not None:
            wanted = ops.convert_to_numpy(variable.constraint(variable))
            close(net.state_dict()[key].numpy(), wanted)


def test_what_is_not_carried_is_listed(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3, activity_regularizer="l2", name="penalised")(x))
    folder = write_torch_module(model, tmp_path / "out")
    assert folder.not_carried == (
        "layer 'penalised': its activity regularizer (L2) is not part of regularization_loss()",
    )


@keras.saving.register_keras_serializable("torch_module_zoo")
class Noisy(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal((4,), seed=self.generator)


@keras.saving.register_keras_serializable("torch_module_zoo")
class Counting(layers.Layer):
    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1.0)
        return x * self.calls


class Penalised(layers.Layer):
    def call(self, x):
        self.add_loss(ops.sum(x))
        return 2 * x


class PenalisedByAConstant(layers.Layer):
    def call(self, x):
        self.add_loss(ops.ones(()))
        return 2 * x


def mixed(x):
    return layers.Dense(2, dtype="mixed_float16")(x)


REFUSED = {
    "random numbers of its own": (lambda x: Noisy()(x), "Noisy"),
    "a changed variable": (lambda x: Counting()(x), "Counting"),
    "add_loss": (lambda x: Penalised()(x), "Penalised"),
    "add_loss of a constant": (
        lambda x: PenalisedByAConstant()(x),
        "PenalisedByAConstant: its call uses add_loss",
    ),
    "two dtypes": (mixed, "Dense"),
    "stateful": (
        lambda x: layers.LSTM(2, stateful=True)(ops.reshape(x, (2, 4, 1))),
        r"LSTM: it keeps its state between calls \(stateful=True\)",
    ),
    "renorm": (
        lambda x: layers.BatchNormalization(renorm=True)(x),
        "BatchNormalization: batch ren",
    ),
    "operation": (lambda x: ops.fft((x, x))[0], "FFT"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused_by_name(name):
    make, message = REFUSED[name]
    x = keras.Input(batch_shape=(2, 4))
    model = keras.Model(x, make(x))
    with pytest.raises(RefusedError, match=rf"^(layer|operation) '\S+' of class {message}.*"):
        to_torch_module(model)
