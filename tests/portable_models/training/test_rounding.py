"""Replicas: how they round, on the backend of this process."""

import keras
import numpy as np
import pytest

from portable_models import Member, Recipe, fit_many, portable_random
from portable_models._backend import current
from portable_models._keras.building import build_by_shapes
from portable_models.training import perturb_last_bit, round_otherwise, weights_digest
from portable_models.training.identity import program_key

from .study import fit

STEPS = 40


def network(**settings):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(64, name="hidden"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, **settings),
        ]
    )


def weights(model):
    return [np.array(weight) for weight in model.get_weights()]


def trained(replica, rate, steps=STEPS):
    """Initial and final weights of a training with as many steps as this."""
    with portable_random(0):
        model = network()
    before = weights(model)
    optimizer = {"class_name": "SGD", "config": {"learning_rate": rate}}
    recipe = Recipe(optimizer=optimizer, loss="mse", batch_size=1, shuffle=False)
    x = np.random.default_rng(0).random((steps, 4)).astype("float32")
    fit(model, (x, x[:, :1]), recipe, replica=replica)
    return model, before, weights(model)


def test_the_initial_weights_differ_in_the_last_bit_and_only_there():
    with portable_random(0):
        model = network()
    before = weights(model)
    perturb_last_bit(model, 1)
    for old, new in zip(before, weights(model), strict=True):
        units = np.abs(new - old) / np.spacing(np.abs(old))
        # A step down from a power of two is half a unit of the number above it.
        assert set(np.unique(units)) <= {0.0, 0.5, 1.0}
    assert weights_digest(model) != weights_digest(network())


def test_replica_0_is_the_model_itself():
    with portable_random(0):
        model = network()
    model.compile(keras.optimizers.RMSprop(), "mse")
    before, kind = weights_digest(model), type(model.optimizer)
    round_otherwise(model, 0)
    assert weights_digest(model) == before
    assert type(model.optimizer) is kind


def test_every_update_is_rounded_up_or_down_at_random():
    # A rate of 0 leaves the weights alone, so what moves them is the rounding.
    model, before, after = trained(1, rate=0.0)
    moved = []
    for variable, old, new in zip(model.weights, before, after, strict=True):
        if not variable.trainable:
            continue
        units = (new - old) / np.spacing(np.abs(old) + np.float32(1e-30))
        assert np.all(units[old == 0] == 0)
        moved += list(units[old != 0])
    # A walk of 41 steps, each of variance one half: standard deviation 4.5, and the mean of its 384 ends
    # 0.23; 0.71 of them lie beyond 1.5 units. Numbers next to a power of two have steps of another size.
    assert len(moved) == 384
    assert abs(np.mean(moved)) < 1.2
    assert 3.0 < np.std(moved) < 6.5


def test_replicas_differ_from_each_other_and_can_be_repeated():
    ends = [weights_digest(trained(replica, 0.01, steps=3)[0]) for replica in (0, 1, 2, 1)]
    assert ends[1] == ends[3]
    assert len(set(ends)) == 3


def replica_members(replicas):
    """Replicas of one training."""
    found = []
    for replica in replicas:
        with portable_random(0):
            model = network()
        x = np.random.default_rng(0).random((24, 4)).astype("float32")
        # RMSprop's first steps divide a gradient by itself, and make much of the rounding of small ones.
        recipe = Recipe(optimizer="sgd", loss="mse", metrics=("mae",), epochs=3, batch_size=4)
        found.append(Member(model, (x, x[:, :1]), recipe, (x, x[:, :1]), replica=replica))
    return found


@pytest.fixture(params=[False, True], ids=["", "PyTorch in a loop"])
def side_by_side(monkeypatch, request):
    """On PyTorch, small jobs are mapped too, and go through a compiled loop or not."""
    if current().name == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 0)
        monkeypatch.setattr("portable_models._backend.torch_program.MAPPED_FROM", 0)
        loops_from = 0 if request.param else 10**9
        monkeypatch.setattr("portable_models._backend.torch_members.LOOPS_FROM", loops_from)
    elif request.param:
        pytest.skip("elsewhere one engine compiles everything")


@pytest.mark.usefixtures("side_by_side")
def test_replicas_side_by_side_are_the_replicas_that_train_alone():
    together = replica_members([1, 2, 3, 4])
    found = fit_many(together, warn=False)
    assert {(each.engine, each.apart_because) for each in found} == {("compiled", "")}
    assert len({weights_digest(each.model) for each in together}) == 4
    for replica, member, training in zip((1, 2, 3, 4), together, found, strict=True):
        (one,) = replica_members([replica])
        (alone,) = fit_many([one], warn=False)
        # Products of matrices are summed in another order where members are mapped over.
        for name, values in alone.history.items():
            np.testing.assert_allclose(training.history[name], values, rtol=5e-6, err_msg=name)
        for a, b in zip(weights(member.model), weights(one.model), strict=True):
            np.testing.assert_allclose(a, b, rtol=5e-6, atol=5e-6)


@pytest.mark.usefixtures("side_by_side")
def test_each_of_several_replicas_moves_the_outputs_its_own_way():
    """The crossentropy of a saturated probability tells up from down."""
    members = [passing(1 - 2**-22, "binary_crossentropy", replica) for replica in (2, 1, 4, 3)]
    down, up, again, too = (each.history for each in fit_many(members, warn=False))
    assert (down, up) == (again, too)
    for name in ("loss", "val_loss"):
        assert down[name][-1] - up[name][-1] == pytest.approx(np.log(3 / 5), abs=4e-6)


def passing(value, loss, replica, epochs=2):
    """A network that puts out what it is given, without learning; targets are 0."""
    inputs = keras.Input((1,))
    with portable_random(0):
        nothing = keras.layers.Dense(1, kernel_initializer="zeros")(inputs)
        model = keras.Model(inputs, keras.layers.Add()([inputs, nothing]))
    optimizer = {"class_name": "SGD", "config": {"learning_rate": 0.0}}
    recipe = Recipe(optimizer=optimizer, loss=loss, metrics=("mae",), batch_size=2, epochs=epochs)
    data = np.full((4, 1), value, "float32"), np.zeros((4, 1), "float32")
    return Member(model, data, recipe, data, replica=replica)


def test_a_model_without_a_mean_loss_shares_its_program_with_no_other_replica():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

        @property
        def metrics(self):
            return []

    keys = []
    for replica in (1, 2, 3):
        model = Own()
        model.compile("sgd", "mse")
        model(np.zeros((1, 4), "float32"))
        model.optimizer.build(model.trainable_variables)
        round_otherwise(model, replica)
        keys.append(program_key(model))
    assert len(set(keys)) == 3


def test_replicas_of_a_model_of_keras_share_a_program_and_not_with_the_training_itself():
    keys = []
    for replica in (0, 1, 2):
        with portable_random(0):
            model = network()
        model.compile("sgd", "mse")
        x = np.zeros((2, 4), "float32")
        build_by_shapes(model, (x, x[:, :1]))
        round_otherwise(model, replica)
        keys.append(program_key(model))
    assert keys[1] == keys[2] != keys[0]


def passed_on(value, loss, replica):
    """History of one step, without learning, of a network that puts out what it is given; targets are 0."""
    inputs = keras.Input((1,))
    nothing = keras.layers.Dense(1, kernel_initializer="zeros")(inputs)
    model = keras.Model(inputs, keras.layers.Add()([inputs, nothing]))
    optimizer = {"class_name": "SGD", "config": {"learning_rate": 0.0}}
    recipe = Recipe(optimizer=optimizer, loss=loss, metrics=("mae",), batch_size=2)
    data = np.full((2, 1), value, "float32"), np.zeros((2, 1), "float32")
    history = fit(model, data, recipe, validation=data, replica=replica).history
    return {name: values[0] for name, values in history.items()}


@pytest.mark.parametrize(("replica", "moved"), [(1, 1 + 2**-23), (2, 1 - 2**-24)])
def test_losses_and_metrics_see_outputs_moved_by_one_unit(replica, moved):
    assert passed_on(1.0, "mae", replica) == dict.fromkeys(
        ("loss", "mae", "val_loss", "val_mae"), moved
    )


def test_the_crossentropy_of_a_saturated_probability_shows_how_badly_it_is_conditioned():
    up, down = (passed_on(1 - 2**-22, "binary_crossentropy", replica) for replica in (1, 2))
    for name in ("loss", "val_loss"):
        # 1 minus the probability is 3 or 5 units of 2**-24; of order 1, the difference has the rounding of
        # the two losses of 15.
        assert down[name] - up[name] == pytest.approx(np.log(3 / 5), abs=4e-6)
