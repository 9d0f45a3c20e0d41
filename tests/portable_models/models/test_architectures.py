"""What the models of the experiments are made of, and what they compute."""

import keras
import numpy as np
import pytest

from portable_models import models, names

from .reference import EPS, forward, relu, sigmoid, softmax

BUILDERS = {
    "imdb": lambda: models.imdb_classifier(dimension=30),
    "boston": models.boston_regressor,
    "vanilla": models.vanilla,
    "sequential": models.mnist_sequential,
    "functional": models.mnist_functional,
    "subclassed": models.mnist_subclassed,
    "several": models.several_inputs_outputs,
    "confidence": models.ConfidencePenaltyClassifier,
    "mixup": models.MixupClassifier,
    **{
        variant: lambda variant=variant: models.regularization_variant(variant, dimension=30)
        for variant in models.REGULARIZATION_VARIANTS
    },
}
DENSE = {
    "imdb": (30, (relu, relu, sigmoid)),
    "boston": (13, (relu, relu, lambda x: x)),
    "vanilla": (8, (relu, sigmoid)),
    "sequential": (784, (relu, softmax)),
    "functional": (784, (relu, softmax)),
    "subclassed": (784, (relu, softmax)),
    "confidence": (8, (relu, softmax)),
    "mixup": (8, (relu, softmax)),
}


def layer_names(model):
    return [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


@pytest.mark.parametrize("name", DENSE)
def test_outputs_are_those_of_the_network(name):
    features, activations = DENSE[name]
    model = BUILDERS[name]()
    inputs = np.random.default_rng(0).normal(size=(5, features)).astype("float32")
    expected = forward(model.get_weights(), inputs, activations)
    # A sum over the features, whose terms are of order 1 / sqrt(features): each rounds once or
    # twice.
    tolerance = 8 * np.sqrt(features) * EPS
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", BUILDERS)
def test_models_are_new_and_uncompiled(name):
    first, second = BUILDERS[name](), BUILDERS[name]()
    assert not first.compiled
    assert not {id(weight) for weight in first.weights} & {id(weight) for weight in second.weights}


@pytest.mark.parametrize("name", BUILDERS)
def test_layer_names_do_not_depend_on_what_was_built_before(name):
    assert layer_names(BUILDERS[name]()) == layer_names(BUILDERS[name]())


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: models.imdb_classifier(), ["hidden_1", "hidden_2", "probability"]),
        (
            lambda: models.imdb_classifier(dropout=0.5, dimension=9),
            ["hidden_1", "dropout_1", "hidden_2", "dropout_2", "probability"],
        ),
        (models.boston_regressor, ["hidden_1", "hidden_2", "price"]),
        (models.vanilla, ["hidden", "dropout", "probability"]),
        (models.mnist_sequential, ["hidden", "digits"]),
    ],
)
def test_layers_are_named(build, expected):
    assert layer_names(build()) == expected


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        # (inputs + 1) * units, layer by layer
        ("original", 31 * 16 + 17 * 16 + 17),
        ("smaller", 31 * 4 + 5 * 4 + 5),
        ("l2", 31 * 16 + 17 * 16 + 17),
        ("dropout", 31 * 16 + 17 * 16 + 17),
        ("larger", 31 * 512 + 513 * 512 + 513),
        ("boston", 14 * 64 + 65 * 64 + 65),
        ("vanilla", 9 * 8 + 9),
        ("sequential", 785 * 32 + 33 * 10),
    ],
)
def test_parameters_are_counted(model, parameters):
    assert BUILDERS[model]().count_params() == parameters


@pytest.mark.parametrize(
    ("variant", "penalty"),
    [
        ("original", lambda w: 0.0),
        ("l2", lambda w: 0.001 * (w**2).sum()),
        ("l1", lambda w: 0.001 * np.abs(w).sum()),
        ("l1_l2", lambda w: 0.001 * (np.abs(w).sum() + (w**2).sum())),
    ],
)
def test_both_hidden_kernels_are_punished(variant, penalty):
    model = models.regularization_variant(variant, dimension=30)
    kernels = [model.get_layer(f"hidden_{k}").get_weights()[0].astype("float64") for k in (1, 2)]
    total = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    # Sums of 480 and 256 terms in float32, added in blocks, of at most 0.1 in all.
    np.testing.assert_allclose(total, sum(map(penalty, kernels)), rtol=64 * EPS)


def test_activity_penalty_is_on_both_hidden_outputs():
    model = models.regularization_variant("activity_l2", dimension=30)
    inputs = np.ones((4, 30), dtype="float32")
    weights = model.get_weights()
    first = forward(weights[:2], inputs, [relu])
    second = forward(weights[:4], inputs, [relu, relu])
    model.compile(loss="mse")
    total = model.evaluate(inputs, np.zeros((4, 1)), verbose=0)
    compiled = (forward(weights, inputs, [relu, relu, sigmoid]) ** 2).mean()
    expected = compiled + 0.001 * ((first**2).sum() + (second**2).sum()) / 4
    np.testing.assert_allclose(total, expected, rtol=64 * EPS)


def test_dropout_follows_each_hidden_layer():
    model = models.regularization_variant("dropout", dimension=30)
    assert [model.get_layer(f"dropout_{k}").rate for k in (1, 2)] == [0.5, 0.5]


def test_variants_are_plain_data():
    penalty = models.REGULARIZATION_VARIANTS["l1_l2"]["kernel_regularizer"]
    assert names.regularizer(penalty).get_config() == {"l1": 0.001, "l2": 0.001}


def test_an_unknown_variant_names_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown regularization variant 'l3'; one of original, sm"
    ):
        models.regularization_variant("l3")
