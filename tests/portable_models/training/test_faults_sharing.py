"""Trainings that are not alike share nothing: no program, no checkpoint."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

from portable_models import Checkpoint, Member, Recipe, fit_many, portable_random

# Some steps on few numbers of order 1: some roundings in float32. Members that go through jax.vmap together
# add up in another order than alone.
ROUNDING = 2e-6


def data(rows=30):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, (x[:, :1] * 2 + rng.normal(size=(rows, 1))).astype("float32")


def network(activation="relu", dropout=0.0, l2=0.0, units=5, epsilon=1e-3, constraint=None):
    with portable_random(3):
        return keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(units, activation, kernel_regularizer=keras.regularizers.L2(l2)),
                layers.BatchNormalization(epsilon=epsilon),
                layers.Dropout(dropout, seed=1),
                layers.Dense(1, kernel_constraint=constraint),
            ]
        )


def pinball(q):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)

    return loss


class Pinball(keras.losses.Loss):
    """Its setting is in no config."""

    def __init__(self, q):
        super().__init__(name="pinball")
        self.q = q

    def call(self, y_true, y_pred):
        return pinball(self.q)(y_true, y_pred)


def power(y_true, y_pred, exponent):
    return ops.mean(ops.abs(y_true - y_pred) ** exponent, axis=-1)


def recipe(**settings):
    return Recipe(**{"optimizer": "sgd", "loss": "mse", "epochs": 2, "batch_size": 8} | settings)


def alone(build, settings):
    """What ``Model.fit`` gives for one member; each member stands in ``UNLIKE``, and is trained once."""
    key = (build, id(settings))
    if key not in TRAINED:
        TRAINED[key] = trained_by_keras(build, settings)
    return TRAINED[key]


def trained_by_keras(build, settings):
    model = build()
    loss = settings.loss if callable(settings.loss) else keras.losses.get(settings.loss)
    metrics = [*settings.metrics] or None
    model.compile(keras.optimizers.get(settings.optimizer), loss, metrics=metrics)
    with portable_random(settings.seed):
        history = model.fit(*data(), batch_size=8, epochs=settings.epochs, shuffle=False, verbose=0)
    return history.history, model.get_weights()


def together(members, engine="compiled"):
    models = [build() for build, _ in members]
    found = fit_many(
        [
            Member(model, data(), settings)
            for model, (_, settings) in zip(models, members, strict=True)
        ],
        engine=engine,
        warn=False,
    )
    return [(each.history, model.get_weights()) for each, model in zip(found, models, strict=True)]


def assert_same(found, expected):
    for name, values in expected[0].items():
        np.testing.assert_allclose(
            found[0][name], values, rtol=ROUNDING, atol=ROUNDING, err_msg=name
        )
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING)


FLAT = {"shuffle": False}
TRAINED = {}
UNLIKE = {
    "losses that are closures of one function": [
        (network, recipe(loss=pinball(0.1), **FLAT)),
        (network, recipe(loss=pinball(0.9), **FLAT)),
    ],
    "losses that are objects of one class": [
        (network, recipe(loss=Pinball(0.1), **FLAT)),
        (network, recipe(loss=Pinball(0.9), **FLAT)),
    ],
    "losses that are one function with other arguments": [
        (network, recipe(loss=functools.partial(power, exponent=1.0), **FLAT)),
        (network, recipe(loss=functools.partial(power, exponent=2.0), **FLAT)),
    ],
    "metrics that are closures of one function": [
        (network, recipe(metrics=[pinball(0.1)], **FLAT)),
        (network, recipe(metrics=[pinball(0.9)], **FLAT)),
    ],
    "activations": [(network, recipe(**FLAT)), (lambda: network("tanh"), recipe(**FLAT))],
    "activations that are functions": [
        (lambda: network(lambda x: ops.tanh(x)), recipe(**FLAT)),
        (lambda: network(lambda x: ops.tanh(2 * x)), recipe(**FLAT)),
    ],
    "dropout rates": [
        (lambda: network(dropout=0.1), recipe(**FLAT)),
        (lambda: network(dropout=0.6), recipe(**FLAT)),
    ],
    "factors of a penalty": [
        (lambda: network(l2=0.01), recipe(**FLAT)),
        (lambda: network(l2=1.0), recipe(**FLAT)),
    ],
    "epsilons": [
        (lambda: network(epsilon=1e-3), recipe(**FLAT)),
        (lambda: network(epsilon=1.0), recipe(**FLAT)),
    ],
    "constraints": [
        (network, recipe(**FLAT)),
        (lambda: network(constraint="non_neg"), recipe(**FLAT)),
    ],
    "trainable layers": [
        (network, recipe(**FLAT)),
        (lambda: frozen(network()), recipe(**FLAT)),
    ],
}


def frozen(model):
    model.layers[0].trainable = False
    return model


@pytest.mark.parametrize("engine", ["compiled", "keras"])
@pytest.mark.parametrize("kind", UNLIKE)
def test_members_that_differ_train_as_each_alone(kind, engine):
    """Each member is trained as ``Model.fit`` trains it, or both are refused with the reason."""
    members = UNLIKE[kind]
    expected = [alone(*member) for member in members]
    apart = max(np.abs(a - b).max() for a, b in zip(*(each[1] for each in expected), strict=True))
    assert apart > 1e-3 or "metrics" in kind, "the members do not differ, so nothing would be found"
    found = refusal_or(lambda: together(members, engine), "members must have the same")
    for one, other in zip(found or expected, expected, strict=True):
        assert_same(one, other)


def refusal_or(train, words):
    """What ``train`` gives; None where it is refused in these words."""
    try:
        return train()
    except ValueError as refused:
        if words not in str(refused):
            raise
        return None


@pytest.mark.parametrize("kind", UNLIKE)
def test_member_after_another_trains_as_alone(kind):
    """Programs that are kept from one ``fit`` to the next are shared by the same rule."""
    for build, settings in UNLIKE[kind]:
        expected = alone(build, settings)
        model = build()
        found = fit_many([Member(model, data(), settings)], warn=False)[0]
        assert_same((found.history, model.get_weights()), expected)


@pytest.mark.parametrize("kind", [each for each in UNLIKE if "metrics" not in each])
def test_checkpoint_of_one_is_never_resumed_by_another(kind, tmp_path):
    (build, settings), (other, others) = UNLIKE[kind]
    keeps = Checkpoint(tmp_path / "training.npz", every=1)
    fit_many([Member(build(), data(), settings, checkpoint=keeps)], warn=False)
    expected = alone(other, others)
    model = other()
    member = Member(model, data(), others, checkpoint=keeps)
    found = refusal_or(lambda: fit_many([member], warn=False), "another training")
    if found is not None:
        assert_same((found[0].history, model.get_weights()), expected)


def test_checkpoint_of_one_data_set_is_not_resumed_for_another(tmp_path):
    keeps = Checkpoint(tmp_path / "training.npz", every=1)
    x, y = data()
    fit_many([Member(network(), (x, y), recipe(), checkpoint=keeps)], warn=False)
    with pytest.raises(ValueError, match="another training"):
        fit_many([Member(network(), (x, y + 1), recipe(), checkpoint=keeps)], warn=False)
