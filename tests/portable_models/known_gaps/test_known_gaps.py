"""Every known gap is still there on its backends, and nowhere else.

A gap that has closed fails here: delete its entry from known_gaps.toml, and what waits for it.
"""

import contextlib
import doctest
import os
import random
import warnings
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from portable_models import known_gaps, names

from . import proofs_of_losses, proofs_of_training, test_numeric_gaps

BACKEND = os.environ["KERAS_BACKEND"]
ALL = ("jax", "tensorflow", "torch")
EVERY = {gap.id: gap for gap in known_gaps.known_gaps()}
# The other differences of numbers are proven by test_numeric_gaps.py.
GAPS = {name: gap for name, gap in EVERY.items() if name not in test_numeric_gaps.PROOFS}
PROOFS = {}


def proves(gap):
    """Registers a function that says whether the gap is there."""

    def register(function):
        PROOFS[gap] = function
        return function

    return register


def fails(function, *errors):
    """Whether calling it raises one of the errors."""
    try:
        function()
    except errors:
        return True
    return False


@proves("crossentropy-from-activation")
def costs_of_saturated_outputs_are_not_clipped():
    found = []
    logits = np.array([[-30.0, 30.0]], "float32")
    for activation, loss, x, y in (
        ("sigmoid", "binary_crossentropy", logits[:, :1], np.ones((1, 1))),
        ("sigmoid", "binary_focal_crossentropy", logits[:, :1], np.ones((1, 1))),
        ("softmax", "categorical_crossentropy", logits, np.array([[1.0, 0.0]])),
        ("softmax", "sparse_categorical_crossentropy", logits, np.array([0])),
    ):
        layers = [keras.Input(x.shape[1:]), keras.layers.Activation(activation)]
        model = keras.Sequential(layers)
        function = getattr(keras.losses, loss)
        model.compile(loss=loss, metrics=[function])
        values = model.evaluate(x, y, verbose=0)
        found += [value > 1.5 * -np.log(1e-7) for value in values]
    assert len(set(found)) == 1, "the crossentropies differ among themselves"
    return found[0]


@proves("sparse-crossentropy-axis")
def classes_must_be_last():
    values = np.full((2, 3, 4), 1 / 3, "float32")
    labels = np.zeros((2, 4), "int32")
    loss = names.loss_function("sparse_categorical_crossentropy")
    return fails(lambda: loss(labels, values, axis=1), ValueError)


@proves("ctc-impossible-label")
def an_impossible_label_has_a_finite_cost():
    values = names.loss_function("ctc")(np.array([[1, 1, 1, 1]]), np.zeros((1, 4, 3), "float32"))
    return bool(np.isfinite(ops.convert_to_numpy(values)).all())


@proves("sparse-label-out-of-range")
def a_label_that_is_no_class_costs_nothing():
    loss = names.loss_function("sparse_categorical_crossentropy")
    # Each framework has its own error; what matters is that the other two have one.
    with contextlib.suppress(Exception):
        values = loss(np.array([5]), np.array([[0.2, 0.8]], "float32"))
        return float(ops.convert_to_numpy(values)[0]) == 0.0
    return False


@proves("auc-of-nan")
def a_prediction_that_is_no_number_counts_otherwise():
    metric = names.metric("AUC")
    metric.update_state(np.array([0.0, 1.0]), np.array([np.nan, 0.5], "float32"))
    return float(metric.result()) != 0.0


class Counting(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.seen = keras.metrics.Mean()

    def call(self, inputs):
        self.seen.update_state(ops.mean(inputs))
        return inputs


@proves("metric-in-call")
def a_metric_may_not_be_updated_in_call():
    model = keras.Sequential([keras.Input((2,)), Counting(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return fails(lambda: model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0), TypeError)


@proves("loss-scale-eager")
def loss_scaling_needs_compiled_code():
    optimizer = names.optimizer("LossScaleOptimizer", inner_optimizer=keras.optimizers.SGD(0.1))
    variable = keras.Variable(np.ones(2, "float32"))

    try:
        for _ in range(2):
            optimizer.apply([ops.ones(2)], [variable])
    except Exception as error:
        if type(error).__name__ == "UnexpectedTracerError":  # JAX's, which may not be installed
            return True
        raise
    return False


@proves("iou-int64")
def counting_confusions_warns_of_int64():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names.metric("MeanIoU", num_classes=2, dtype="int32").update_state([0, 1], [0, 1])
    return any("Explicitly requested dtype int64" in str(warning.message) for warning in caught)


@proves("iou-dtype")
def the_default_integer_is_wide():
    return names.metric("MeanIoU", num_classes=2).get_config()["dtype"] == "int64"


@proves("orthogonal-activity")
def orthogonality_of_outputs_needs_a_batch_size():
    penalty = names.regularizer("orthogonal")
    layer = keras.layers.Dense(2, activity_regularizer=penalty)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    x, y = np.eye(4, 3, dtype="float32") + 1, np.ones((4, 2))
    return fails(lambda: model.evaluate(x, y, verbose=0), TypeError, ValueError)


@proves("loss-config")
def configs_of_losses_lack_an_argument():
    lacking = [
        "delta" not in keras.losses.Huber(delta=2.0).get_config(),
        "axis" not in keras.losses.CosineSimilarity(axis=1).get_config(),
        "axis" not in keras.losses.SparseCategoricalCrossentropy(axis=1).get_config(),
    ]
    assert len(set(lacking)) == 1, "one of the three gaps has closed: take its name out"
    return lacking[0]


@proves("cosine-metric-config")
def the_config_of_a_metric_lacks_its_axis():
    return "axis" not in keras.metrics.CosineSimilarity(axis=1).get_config()


@proves("names-keras-lacks")
def keras_does_not_know_its_own_names():
    unknown = [
        fails(lambda: keras.optimizers.get("lamb"), ValueError),
        fails(lambda: keras.losses.get("CategoricalGeneralizedCrossEntropy"), ValueError),
        fails(lambda: keras.metrics.get("kld"), ValueError),
    ]
    assert len(set(unknown)) == 1, "one of the three gaps has closed: take its name out"
    return unknown[0]


@proves("loss-of-one-output")
def the_loss_of_an_output_is_averaged_over_batches():
    inputs = keras.Input((1,))
    outputs = {
        name: keras.layers.Dense(1, kernel_initializer="ones", name=name)(inputs)
        for name in ("first", "second")
    }
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.0), loss={"first": "mae", "second": "mae"})
    # Losses of the batches are 0 (three samples) and 1 (one sample).
    x, zeros = np.array([[0.0], [0.0], [0.0], [1.0]], "float32"), np.zeros((4, 1), "float32")
    targets = {"first": zeros, "second": zeros}
    history = model.fit(x, targets, batch_size=3, shuffle=False, verbose=0).history
    assert history["loss"][0] == 0.5
    found = history["first_loss"][0]
    assert found in (0.25, 0.5)
    return found == 0.5


@proves("penalty-of-half-weights")
def a_penalty_of_half_precision_cannot_be_added():
    def train(policy):
        dense = keras.layers.Dense(1, kernel_regularizer="l2", dtype=policy)
        model = keras.Sequential([keras.Input((2,)), dense])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 2)), np.ones(4), verbose=0)

    train("mixed_bfloat16")
    found = [fails(partial(train, policy), TypeError) for policy in ("float16", "bfloat16")]
    assert len(set(found)) == 1, "one of the two policies works"
    return found[0]


@proves("random-brightness-in-place")
def brightness_changes_its_input():
    images = ops.convert_to_tensor(np.full((1, 4, 4, 3), 0.5, "float32"))
    keras.layers.RandomBrightness(0.5, value_range=(0, 1), seed=1)(images, training=True)
    return not np.allclose(ops.convert_to_numpy(images), 0.5)


@proves("augmix-choices")
def augmix_chooses_with_the_generator_of_python():
    layer = keras.layers.AugMix(value_range=(0, 1), seed=1)
    images = ops.convert_to_tensor(np.linspace(0, 1, 192, dtype="float32").reshape(1, 8, 8, 3))
    before = random.getstate()
    layer.get_random_transformation(images)
    return random.getstate() != before


@proves("stateful-recurrent")
def a_state_is_changed_under_the_gradient():
    def trains(kind, masked):
        inputs = keras.Input(batch_shape=(2, 3, 1))
        x = keras.layers.Masking(-1.0)(inputs) if masked else inputs
        model = keras.Model(inputs, kind(2, stateful=True)(x))
        model.compile("sgd", "mse")
        return not fails(
            lambda: model.train_on_batch(np.ones((2, 3, 1)), np.ones((2, 2))), RuntimeError
        )

    layers = keras.layers
    assert trains(layers.SimpleRNN, masked=False)
    assert trains(layers.LSTM, masked=True)
    assert trains(layers.GRU, masked=True)
    found = {trains(kind, masked=False) for kind in (layers.LSTM, layers.GRU)}
    return found == {False}


@proves("stateful-forgets")
def a_state_is_forgotten_between_batches():
    forgets = set()
    for kind in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN):
        inputs = keras.Input(batch_shape=(2, 3, 1))
        layer = kind(2, stateful=True, kernel_initializer="ones", recurrent_initializer="ones")
        model = keras.Model(inputs, layer(inputs))
        first, second = (model.predict(np.ones((2, 3, 1)), verbose=0) for _ in range(2))
        forgets.add(bool(np.array_equal(first, second)))
    assert len(forgets) == 1, "the recurrent layers differ among themselves"
    return forgets.pop()


PROOFS |= proofs_of_losses.PROOFS | proofs_of_training.PROOFS


@pytest.mark.parametrize("gap", PROOFS)
def test_a_gap_is_on_its_backends_and_nowhere_else(gap):
    assert PROOFS[gap]() == (BACKEND in GAPS[gap].backends)


def test_every_gap_has_a_proof():
    assert set(GAPS) == set(PROOFS)


def test_a_gap_says_what_it_is_about():
    for gap in EVERY.values():
        assert gap.thing
        assert gap.reason
        assert set(gap.backends) <= set(ALL)


def test_gaps_of_one_backend():
    assert {gap.id for gap in known_gaps.known_gaps("torch")} == {
        gap.id for gap in EVERY.values() if "torch" in gap.backends
    }


def test_example_in_the_docstring():
    result = doctest.testmod(known_gaps)
    assert (result.attempted, result.failed) == (1, 0)
