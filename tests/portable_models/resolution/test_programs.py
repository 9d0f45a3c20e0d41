"""What people write into ``compile``, given to a recipe: it trains, with the history that Keras names."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from portable_models import Recipe
from portable_models.training.compiling import compile_model

_RNG = np.random.default_rng(8)
X = _RNG.normal(size=(12, 3)).astype("float32")
BITS = (X[:, :1] > 0).astype("float32")
LABELS = (np.arange(12) % 3).astype("int32")
TWO = {"price": X[:, :1] * 2, "style": np.eye(3, dtype="float32")[LABELS]}


def single(activation="sigmoid", units=1):
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(units, activation=activation, name="out")]
    )


def double():
    inputs = keras.Input((3,))
    price = keras.layers.Dense(1, name="price")(inputs)
    style = keras.layers.Dense(3, activation="softmax", name="style")(inputs)
    return keras.Model(inputs, {"price": price, "style": style})


def listed():
    inputs = keras.Input((3,))
    price = keras.layers.Dense(1, name="price")(inputs)
    style = keras.layers.Dense(3, activation="softmax", name="style")(inputs)
    return keras.Model(inputs, [price, style])


def pinball(quantile):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(quantile * error, (quantile - 1) * error), axis=-1)

    return loss


def weighted_error(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred) * (1 + y_true), axis=-1)


class Scaled:
    """An object that is called like a function."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def __call__(self, y_true, y_pred):
        return self.factor * ops.mean(ops.abs(y_true - y_pred), axis=-1)


class OwnLoss(keras.losses.Loss):
    def __init__(self, power=2, name="own", **settings):
        super().__init__(name=name, **settings)
        self.power = power

    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** self.power, axis=-1)


class OwnMetric(keras.metrics.Metric):
    def __init__(self, name="share", **settings):
        super().__init__(name=name, **settings)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.cast(y_true, self.dtype)))

    def result(self):
        return self.total * 1.0


DECAY = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
ONE = {
    # label: (settings of a recipe, metrics in the history besides the loss)
    "names": ({"loss": "bce", "metrics": ["accuracy"], "optimizer": "adam"}, ["accuracy"]),
    "acc": ({"loss": "BinaryCrossentropy", "metrics": ["acc", "AUC"]}, ["acc", "AUC"]),
    "function": (
        {"loss": keras.losses.binary_crossentropy, "metrics": [keras.metrics.binary_accuracy]},
        ["binary_accuracy"],
    ),
    "class": ({"loss": keras.losses.MeanSquaredError, "metrics": [keras.metrics.AUC]}, ["auc*"]),
    "object": (
        {
            "loss": keras.losses.BinaryCrossentropy(label_smoothing=0.1),
            "metrics": [keras.metrics.BinaryAccuracy(name="hits", threshold=0.6)],
            "optimizer": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
        },
        ["hits"],
    ),
    "partial": (
        {
            "loss": functools.partial(keras.losses.huber, delta=2.0),
            "metrics": [functools.partial(keras.metrics.binary_crossentropy, label_smoothing=0.1)],
        },
        ["binary_crossentropy"],
    ),
    "config": (
        {
            "loss": {"class_name": "Huber", "config": {"delta": 2.0}},
            "metrics": [{"class_name": "BinaryAccuracy", "config": {"threshold": 0.7}}],
            "optimizer": {"class_name": "AdamW", "config": {"weight_decay": 0.01}},
        },
        ["binary_accuracy"],
    ),
    "serialized": (
        {
            "loss": keras.losses.serialize(keras.losses.BinaryFocalCrossentropy(gamma=3.0)),
            "metrics": [keras.metrics.serialize(keras.metrics.Precision(name="p"))],
            "optimizer": keras.optimizers.serialize(keras.optimizers.RMSprop(DECAY, rho=0.8)),
        },
        ["p"],
    ),
    "serialized functions": (
        {
            "loss": keras.losses.serialize(keras.losses.mean_squared_error),
            "metrics": [keras.metrics.serialize(keras.metrics.mean_absolute_error)],
        },
        ["mean_absolute_error"],
    ),
    "closure": ({"loss": pinball(0.9), "optimizer": keras.optimizers.Muon()}, []),
    "own function": ({"loss": weighted_error, "metrics": [weighted_error]}, ["weighted_error"]),
    "lambda": ({"loss": lambda y, p: ops.mean((y - p) ** 2, axis=-1)}, []),
    "own object": ({"loss": Scaled(3.0), "metrics": [Scaled()]}, ["scaled"]),
    "own callable class": ({"loss": Scaled}, []),
    "own loss": ({"loss": OwnLoss(3), "metrics": [OwnMetric]}, ["share"]),
    "own loss class": ({"loss": OwnLoss, "metrics": [OwnMetric(name="mine")]}, ["mine"]),
    "names Keras lacks": (
        {"loss": "KLDivergence", "metrics": ["kld", "huber"], "optimizer": "lamb"},
        ["kld", "huber"],
    ),
    "weighted": (
        {"loss": "mse", "weighted_metrics": ["mae", keras.metrics.BinaryAccuracy()]},
        ["mae", "binary_accuracy"],
    ),
    "crossentropy": ({"loss": "crossentropy", "metrics": ["bce"]}, ["bce"]),
    "one metric alone": ({"loss": "squared_hinge", "metrics": "mae"}, ["mae"]),
    "a loss as metric": (
        {"loss": "mse", "metrics": [keras.losses.BinaryCrossentropy(name="cost")]},
        ["cost"],
    ),
    "wrapped metric": (
        {"loss": "mse", "metrics": [keras.metrics.MeanMetricWrapper(weighted_error, name="w")]},
        ["w"],
    ),
    "unspoken": ({"loss": "logcosh", "metrics": None, "optimizer": keras.optimizers.Lion}, []),
    "scaled": (
        {
            "loss": "mse",
            "optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
        },
        [],
    ),
}


@pytest.mark.parametrize("label", ONE)
def test_a_program_trains_with_the_history_of_keras(label):
    settings, expected = ONE[label]
    recipe = Recipe(**settings)
    model = single()
    histories = []
    # The second time nothing is left of the first: metrics and optimizer are made anew.
    for _ in range(2):
        compile_model(model, recipe)
        history = model.fit(
            X, BITS, epochs=1, batch_size=12, verbose=0, sample_weight=np.ones(12, "float32")
        ).history
        histories.append(history)
        assert int(model.optimizer.iterations) == 1
    for history in histories:
        names = sorted(set(history) - {"loss"})
        for name, wanted in zip(names, sorted(expected), strict=True):
            # Keras counts the objects without a name of their own.
            assert name == wanted or (wanted.endswith("*") and name.startswith(wanted[:-1]))
        assert all(np.isfinite(values).all() for values in history.values())
    assert recipe.digest() == Recipe(**settings).digest()


SEVERAL = {
    "dict": (double, {"loss": {"price": "mse", "style": "categorical_crossentropy"}}, TWO, []),
    "dict with none": (double, {"loss": {"price": None, "style": "CategoricalHinge"}}, TWO, []),
    "names per output": (
        double,
        {
            "loss": {"price": "mae", "style": keras.losses.CategoricalCrossentropy()},
            "metrics": {"price": "mse", "style": ["accuracy", "kld"]},
            "loss_weights": {"price": 0.5, "style": 2.0},
        },
        TWO,
        ["price_mse", "style_accuracy", "style_kld"],
    ),
    "lists": (
        listed,
        {
            "loss": ["mse", keras.losses.categorical_crossentropy],
            "metrics": [["mae"], ["categorical_accuracy", keras.metrics.CategoricalCrossentropy]],
            "loss_weights": [1.0, 0.2],
        },
        list(TWO.values()),
        ["price_mae", "style_categorical_accuracy", "style_categorical_crossentropy"],
    ),
    "one loss for all": (listed, {"loss": "mse"}, list(TWO.values()), []),
    "none in a list": (listed, {"loss": [None, "kld"]}, list(TWO.values()), []),
    "weighted per output": (
        double,
        {
            "loss": {"price": "mse", "style": "mse"},
            "weighted_metrics": {"style": ["cosine_similarity"]},
        },
        TWO,
        ["style_cosine_similarity"],
    ),
}


# An output without a loss trains nothing; PyTorch's trainer says so.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables:UserWarning")
@pytest.mark.parametrize("label", SEVERAL)
def test_a_program_with_several_outputs_trains(label):
    build, settings, targets, expected = SEVERAL[label]
    model = build()
    compile_model(model, Recipe(**settings))
    history = model.fit(X, targets, epochs=1, batch_size=12, verbose=0).history
    metrics = [name for name in history if not name.endswith("loss")]
    assert sorted(metrics) == sorted(expected)
    assert all(np.isfinite(values).all() for values in history.values())


def test_the_arguments_of_a_loss_arrive():
    far = np.full((4, 1), 5.0, "float32")
    expected = {1.0: 4.5, 2.0: 8.0}  # delta * (5 - delta / 2)
    for delta, value in expected.items():
        for spelling in (
            keras.losses.Huber(delta=delta),
            {"class_name": "Huber", "config": {"delta": delta}},
            functools.partial(keras.losses.huber, delta=delta),
        ):
            model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
            compile_model(model, Recipe(loss=spelling))
            assert model.evaluate(np.zeros((4, 1)), far, verbose=0) == pytest.approx(value)


def test_recipes_that_differ_have_other_digests():
    recipes = [
        Recipe(loss=keras.losses.Huber(delta=1.0)),
        Recipe(loss=keras.losses.Huber(delta=2.0)),
        Recipe(loss=pinball(0.1)),
        Recipe(loss=pinball(0.9)),
        Recipe(loss=functools.partial(weighted_error)),
        Recipe(loss=weighted_error),
        Recipe(loss=Scaled(1.0)),
        Recipe(loss=Scaled(2.0)),
        Recipe(optimizer=keras.optimizers.SGD(0.1)),
        Recipe(optimizer=keras.optimizers.SGD(0.2)),
        Recipe(weighted_metrics=["mae"]),
    ]
    assert len({recipe.digest() for recipe in recipes}) == len(recipes)


def test_a_digest_does_not_depend_on_how_many_objects_were_made_before():
    digests = {Recipe(optimizer=keras.optimizers.SGD(0.1)).digest() for _ in range(3)}
    assert len(digests) == 1


def test_a_recipe_without_weighted_metrics_is_described_as_ever():
    assert "weighted_metrics" not in Recipe().to_json()
    assert Recipe(weighted_metrics=["mae"]).to_json()["weighted_metrics"] == ["mae"]


def test_an_object_that_cannot_be_made_anew_is_told():
    class Secret(OwnMetric):
        def __init__(self, needed, **settings):
            super().__init__(**settings)

    with pytest.raises(
        ValueError, match=r"Secret 'share' cannot be made anew .*needed.*get_config"
    ):
        compile_model(single(), Recipe(metrics=[Secret(3)]))
