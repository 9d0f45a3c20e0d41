"""Aliases, configs, objects and custom names; and the one clear line where a name stands for nothing."""

import doctest

import keras
import pytest

from portable_models import losses, metrics, names
from portable_models.metrics import mean_relative_error, mean_tensor


@keras.saving.register_keras_serializable("test_names")
class DoubledLoss(keras.losses.Loss):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("test_names")
def half_the_error(y_true, y_pred):
    return 0.5 * keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    ("kind", "alias", "expected"),
    [
        ("loss", "mse", "MeanSquaredError"),
        ("loss", "MAPE", "MeanAbsolutePercentageError"),
        ("loss", "bce", "BinaryCrossentropyOfProbabilities"),
        ("loss", "kullback_leibler_divergence", "KLDivergence"),
        ("loss", "logcosh", "LogCosh"),
        ("loss", "LogCoshError", "LogCosh"),
        ("metric", "log_cosh", "LogCoshError"),
        ("metric", "MSLE", "MeanSquaredLogarithmicError"),
        ("metric", "kld", "KLDivergence"),
        ("metric", "huber", "MeanMetricWrapper"),
        ("optimizer", "adamw", "AdamW"),
        ("optimizer", "lamb", "Lamb"),
        ("regularizer", "l1_l2", "L1L2"),
        ("initializer", "uniform", "RandomUniform"),
        ("initializer", "normal", "RandomNormal"),
        ("initializer", "zero", "Zeros"),
        ("initializer", "OrthogonalInitializer", "Orthogonal"),
        ("constraint", "max_norm", "MaxNorm"),
    ],
)
def test_alias(kind, alias, expected):
    assert type(getattr(names, kind)(alias)).__name__ == expected


def test_an_alias_is_the_name_in_the_history_and_a_class_name_is_not():
    assert names.metric("mae").name == "mae"
    assert names.metric("MeanAbsoluteError").name == "mean_absolute_error"
    assert names.metric("mae", name="error").name == "error"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("loss", keras.losses.Huber(delta=2.0)),
        ("loss", keras.losses.mean_squared_error),
        ("metric", keras.metrics.Mean()),
        ("optimizer", keras.optimizers.SGD(0.1)),
        ("regularizer", keras.regularizers.L2(0.1)),
        ("initializer", keras.initializers.Zeros()),
        ("constraint", keras.constraints.NonNeg()),
    ],
)
def test_an_object_stays_the_same_object(kind, given):
    assert getattr(names, kind)(given) is given


def test_a_class_is_made_with_its_arguments():
    assert names.regularizer(keras.regularizers.L2, l2=0.5).l2 == 0.5


def test_a_config_is_not_changed_by_reading_it():
    config = names.serialize(
        names.optimizer("LossScaleOptimizer", inner_optimizer=keras.optimizers.SGD(0.1))
    )
    before = repr(config)
    names.optimizer(config)
    assert repr(config) == before


def test_a_config_may_be_short():
    assert names.regularizer({"class_name": "l2", "config": {"l2": 0.5}}).l2 == 0.5
    assert names.constraint({"class_name": "NonNeg"}).get_config() == {}


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
def test_an_optimizer_config_written_for_one_backend_is_read_by_all(framework):
    config = {
        "module": f"keras.src.backend.{framework}.optimizers.{framework}_adam",
        "class_name": "Adam",
        "config": {"learning_rate": 0.5, "name": "adam"},
        "registered_name": "Adam",
    }
    optimizer = names.optimizer(config)
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 0.5
    assert names.portable_config({"deep": [config]})["deep"][0]["module"] == "keras.optimizers"


def test_a_nested_optimizer_config_is_portable_too():
    config = names.serialize(
        names.optimizer("LossScaleOptimizer", inner_optimizer=keras.optimizers.Adam(0.1))
    )
    assert config["config"]["inner_optimizer"]["module"] == "keras.optimizers"


def test_a_learning_rate_schedule_survives_a_config():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    again = names.optimizer(names.serialize(names.optimizer("sgd", learning_rate=schedule)))
    assert float(again.learning_rate) == pytest.approx(0.1, rel=1e-6)  # a float32
    assert names.serialize(again)["config"]["learning_rate"]["config"]["decay_steps"] == 5


@pytest.mark.parametrize("name", ["test_names>DoubledLoss", "DoubledLoss"])
def test_a_registered_class_is_found_by_name(name):
    assert names.loss(name, factor=3.0).factor == 3.0


@pytest.mark.parametrize("name", ["test_names>half_the_error", "half_the_error"])
def test_a_registered_function_is_found_by_name(name):
    assert names.loss(name) is half_the_error


def test_a_name_in_a_custom_object_scope_is_found():
    with keras.saving.custom_object_scope({"mine": DoubledLoss}):
        assert isinstance(names.loss("mine"), DoubledLoss)


def test_a_registered_class_survives_a_config():
    assert names.loss(names.serialize(DoubledLoss(factor=5.0))).factor == 5.0


def test_a_registered_function_survives_a_config():
    assert names.loss(names.serialize(half_the_error)) is half_the_error


def test_a_name_registered_twice_must_say_its_package():
    @keras.saving.register_keras_serializable("test_names_too", name="DoubledLoss")
    class Another(DoubledLoss):
        pass

    try:
        with pytest.raises(names.UnknownNameError, match="in several packages: test_names>Do"):
            names.loss("DoubledLoss")
    finally:
        keras.saving.get_custom_objects().pop("test_names_too>DoubledLoss")


@pytest.mark.parametrize(
    ("kind", "identifier", "message"),
    [
        (
            "loss",
            "mean_sqared_error",
            r"unknown loss 'mean_sqared_error': did you mean MeanSquaredError or .*"
            r"register_keras_serializable\('my_package'\), as 'my_package>MyName'",
        ),
        ("optimizer", "adm", r"unknown optimizer 'adm': did you mean Adam or"),
        ("metric", "zzz", r"unknown metric 'zzz': One of your own is passed as an object"),
        ("loss", "DoubledLos", r"did you mean test_names>DoubledLoss\?"),
        ("loss", "AUC", r"unknown loss 'AUC'"),
        ("metric", "acc", r"'acc' is no single metric: .*; say binary_accuracy"),
        ("loss", "ce", r"'ce' is no single loss: .*; say binary_crossentropy"),
        ("loss", 3, r"a loss is given by name, config or object; got 3 of type int"),
        ("constraint", None, r"a constraint is given by name, config or object; got None"),
        ("regularizer", {"l2": 0.1}, r"holds 'class_name' and 'config'; got \['l2'\]"),
        ("initializer", {"class_name": "Oens"}, r"unknown initializer 'Oens': did you mean Ones"),
        (
            "loss",
            {"class_name": "function", "config": "no_loss", "registered_name": "no_loss"},
            r"unknown loss function 'no_loss'",
        ),
    ],
)
def test_what_stands_for_nothing_is_said_in_one_line(kind, identifier, message):
    with pytest.raises(names.UnknownNameError, match=message) as caught:
        getattr(names, kind)(identifier)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "identifier", "arguments", "message"),
    [
        ("metric", "mean_iou", {}, r"'mean_iou' needs num_classes and takes num_classes, name"),
        ("loss", "Huber", {"dleta": 2.0}, r"unexpected keyword argument 'dleta'"),
        ("optimizer", "SGD", {"momentum": 3.0}, r"`momentum` must be a float between"),
        (
            "metric",
            {"class_name": "MeanIoU", "config": {"num_clases": 2}},
            {},
            r'as {"class_name": "MeanIoU", "config": {"num_classes": "..."}}',
        ),
        ("loss", keras.losses.Huber(), {"delta": 2.0}, r"arguments \(delta\) go with the name"),
    ],
)
def test_arguments_that_do_not_fit_are_said_in_one_line(kind, identifier, arguments, message):
    with pytest.raises(names.ArgumentsError, match=message) as caught:
        getattr(names, kind)(identifier, **arguments)
    assert "\n" not in str(caught.value)


def test_both_errors_are_value_errors():
    assert issubclass(names.UnknownNameError, ValueError)
    assert issubclass(names.ArgumentsError, ValueError)


def test_get_of_losses_and_metrics_reads_the_same_names():
    assert losses.get is names.loss
    assert metrics.get is names.metric


@pytest.mark.parametrize("module", [names, mean_tensor, mean_relative_error])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
