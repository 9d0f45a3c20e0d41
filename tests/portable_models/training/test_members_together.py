"""Members that one program trains side by side; on the backend of this process."""

import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

from portable_models import Member, Recipe, fit_many, portable_random
from portable_models._backend import current
from portable_models.training.programs import group

ROUNDING = 5e-6
"""Products of matrices are summed in another order where members are mapped over: some roundings."""


@pytest.fixture(autouse=True)
def small_jobs_are_mapped(monkeypatch):
    """PyTorch maps from a number of steps on that a test does not reach."""
    if current().name == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 0)
        monkeypatch.setattr("portable_models._backend.torch_program.MAPPED_FROM", 0)


def build(dropout=0.3, **extras):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(dropout, **extras),
            keras.layers.Dense(1),
        ]
    )


def rows(seed, count=21):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, x.sum(axis=1)


RECIPE = Recipe(optimizer="rmsprop", loss="mse", metrics=("mae",), epochs=3, batch_size=4)


def members(seeds, own=False, validated=True, make=build, recipe=RECIPE):
    """Members of one recipe; with ``own``, each with samples of its own."""
    found = []
    for seed in seeds:
        settings = recipe.replace(seed=seed)
        with portable_random(settings.seed):
            model = make()
        validation = rows(50 + seed if own else 50) if validated else None
        found.append(Member(model, rows(seed if own else 9), settings, validation))
    return found


def assert_as_alone(found, given, alone):
    """The same numbers and models as ``fit_many`` of one member each."""
    for training, one, other in zip(found, given, alone, strict=True):
        (expected,) = fit_many([other], warn=False)
        assert training.engine == expected.engine == "compiled"
        assert training.history.keys() == expected.history.keys()
        for name, values in expected.history.items():
            np.testing.assert_allclose(training.history[name], values, rtol=ROUNDING, err_msg=name)
        for a, b in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING)
        for a, b in zip(
            one.model.optimizer.variables, other.model.optimizer.variables, strict=True
        ):
            a, b = (keras.ops.convert_to_numpy(each) for each in (a, b))
            np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("own", [False, True], ids=["shared samples", "samples of their own"])
def test_members_come_out_as_alone(own):
    """18 members: PyTorch maps them in groups that are not all full."""
    together = members(range(18), own)
    found = fit_many(together, warn=False)
    assert {each.apart_because for each in found} == {""}
    some = [0, 8, 9, 17]
    alone = members(some, own)
    assert_as_alone([found[each] for each in some], [together[each] for each in some], alone)
    assert len({each.history["loss"][-1] for each in found}) == 18


OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(),
    "SGD with momentum": lambda: keras.optimizers.SGD(0.002, momentum=0.9, nesterov=True),
    "SGD with a schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=5, decay_rate=0.7)
    ),
    "SGD that is clipped and accumulates": lambda: keras.optimizers.SGD(
        clipnorm=0.5, gradient_accumulation_steps=2
    ),
    "scaled loss": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_members_of_an_optimizer_come_out_as_alone(name):
    """Each member has an optimizer of its own, which Keras names by counting."""

    def given():
        return [
            replace(one, recipe=one.recipe.replace(optimizer=keras.optimizers.serialize(each())))
            for one in members(range(3))
        ]

    each = OPTIMIZERS[name]
    together = given()
    found = fit_many(together, warn=False)
    assert {one.apart_because for one in found} == {""}
    assert_as_alone(found, together, given())


def test_what_optimizers_differ_in_is_named():
    pair = members(range(2))
    clipped = keras.optimizers.serialize(keras.optimizers.SGD(clipnorm=1.0))
    plain = keras.optimizers.serialize(keras.optimizers.SGD())
    given = [
        replace(one, recipe=one.recipe.replace(optimizer=optimizer))
        for one, optimizer in zip(pair, (clipped, plain), strict=True)
    ]
    expected = (
        r"the same optimizer: the first has {'clipnorm': 1.0}, number 2 has {'clipnorm': None}"
    )
    with pytest.raises(ValueError, match=expected):
        fit_many(given)


only_on_torch = pytest.mark.skipif(
    current().name != "torch", reason="elsewhere one engine compiles everything"
)


@only_on_torch
@pytest.mark.parametrize("own", [False, True], ids=["shared samples", "samples of their own"])
def test_members_in_a_compiled_loop_come_out_as_alone(monkeypatch, own):
    monkeypatch.setattr("portable_models._backend.torch_members.LOOPS_FROM", 0)
    compiled = []
    original = torch_mapping().compiled_loop

    def counted(*arguments, **named):
        compiled.append(arguments)
        return original(*arguments, **named)

    monkeypatch.setattr(torch_mapping(), "compiled_loop", counted)
    together = members(range(18), own)
    found = fit_many(together, warn=False)
    assert len(compiled) == 1
    assert {each.apart_because for each in found} == {""}
    some = [0, 8, 17]
    alone = members(some, own)
    assert_as_alone([found[each] for each in some], [together[each] for each in some], alone)


@only_on_torch
def test_members_whose_loop_cannot_be_compiled_train_apart(monkeypatch):
    monkeypatch.setattr("portable_models._backend.torch_members.LOOPS_FROM", 0)

    def fail(*arguments, **named):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch_mapping(), "compiled_loop", fail)
    together = members(range(3))
    found = fit_many(together, warn=False)
    reason = "the loop over mapped steps cannot be compiled: RuntimeError: no compiler"
    assert {each.apart_because for each in found} == {reason}
    assert_as_alone(found, together, members(range(3)))


def torch_mapping():
    from portable_models._backend import torch_mapping

    return torch_mapping


def test_the_steps_of_all_members_decide_whether_a_program_pays(monkeypatch):
    """18 steps each, on PyTorch not worth a program of their own; three of them share one."""
    if current().name == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 54)
    (alone,) = fit_many(members([0]), warn=False)
    assert alone.engine == ("keras" if current().name == "torch" else "compiled")
    together = fit_many(members(range(3)), warn=False)
    assert [each.engine for each in together] == ["compiled"] * 3
    np.testing.assert_allclose(together[0].history["loss"], alone.history["loss"], rtol=ROUNDING)


def test_members_without_validation_come_out_as_alone():
    together = members(range(3), validated=False)
    found = fit_many(together, warn=False)
    assert_as_alone(found, together, members(range(3), validated=False))


def test_copies_of_one_data_set_are_one_data_set_on_the_device():
    """Seeds of a study come with copies, which are told by their digests."""
    from portable_models.training.fit_many import as_samples, compile_model
    from portable_models.training.jobs import recipe_job
    from portable_models.training.programs.grouping import build as build_job
    from portable_models.training.programs.grouping import grouped

    jobs = []
    for each in members(range(3)):
        compile_model(each.model, each.recipe)
        parts = as_samples(each.samples), as_samples(each.validation)
        job = recipe_job(
            each.model, parts[0], each.recipe, validation=parts[1], pipeline="numpy", on_epoch=None
        )
        build_job(job)
        jobs.append(job)
    (only,) = grouped(jobs)
    assert len({id(each) for each in only.on_device}) == 1


def test_equal_arrays_under_other_names_are_other_samples():
    """A digest is of the arrays in their order, and says nothing of their names."""
    from types import SimpleNamespace

    from portable_models.data import ArraySamples
    from portable_models.training.programs.grouping import _what_is_read

    a, b, y = np.zeros((4, 1)), np.ones((4, 1)), np.arange(4.0)
    settings = SimpleNamespace(class_weight=None, batch_size=2, validation_batch_size=2)
    read = [
        _what_is_read(SimpleNamespace(samples=each, validation=None, settings=settings), True)
        for each in (
            ArraySamples({"a": a, "b": b}, y),
            ArraySamples({"a": a, "b": b}, y),
            ArraySamples({"a": a, "c": b}, y),
            ArraySamples(a, b, y),
        )
    ]
    assert read[0] == read[1]
    assert len(set(read)) == 3


def test_models_have_their_states_when_a_program_of_several_is_interrupted():
    def interrupt(epoch, epochs, metrics):
        if epoch == 4:
            raise KeyboardInterrupt

    from portable_models.training import TrainingInterrupted

    recipe = RECIPE.replace(epochs=40)
    together = members(range(2), recipe=recipe)
    with pytest.raises(TrainingInterrupted) as caught:
        fit_many(together, progress=interrupt, warn=False)
    ran = [len(each.history["loss"]) for each in caught.value.trainings]
    assert ran[0] == ran[1] < 40
    again = members(range(2), recipe=recipe.replace(epochs=ran[0]))
    for training, one, other in zip(caught.value.trainings, together, again, strict=True):
        (expected,) = fit_many([other], warn=False)
        np.testing.assert_allclose(
            training.history["loss"], expected.history["loss"], rtol=ROUNDING
        )
        for a, b in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING)


def test_a_program_of_several_that_fails_is_finished_by_keras(monkeypatch):
    from portable_models._backend.program import ProgramFailedError

    together = members(range(2))
    original = group.Group._advance
    calls = []

    def failing(self, callbacks, first, count):
        calls.append(first)
        if len(calls) == 2:
            raise ProgramFailedError("made to fail")
        return original(self, callbacks, first, 1)

    monkeypatch.setattr(group.Group, "_advance", failing)
    # pytest.warns would raise again, without its module, what Keras says of __array__ and pyproject excepts.
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = fit_many(together, warn=False)
    monkeypatch.undo()
    told = [each.message for each in said if issubclass(each.category, group.NotCompiledWarning)]
    assert [str(each) for each in told if "made to fail" in str(each)]
    for training, other in zip(found, members(range(2)), strict=True):
        (expected,) = fit_many([other], warn=False, engine="keras")
        np.testing.assert_allclose(
            training.history["loss"], expected.history["loss"], rtol=ROUNDING
        )


def test_a_member_with_callbacks_says_why_it_is_apart():
    patient = {"class_name": "EarlyStopping", "config": {"monitor": "loss", "patience": 9}}
    found = fit_many(members(range(2), recipe=RECIPE.replace(callbacks=(patient,))), warn=False)
    assert [each.apart_because for each in found] == [
        "callbacks watch its epochs, or validation is not after each of them"
    ] * 2


def test_one_training_alone_says_nothing():
    (found,) = fit_many(members([1]), warn=False)
    assert found.apart_because == ""
