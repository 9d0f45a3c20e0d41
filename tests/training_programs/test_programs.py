"""Every program trains through ``portable_models.fit`` as through ``Model.fit``, on this backend."""

import functools

import pytest
import reference
from compare import judge, report
from forcing import OF_THIS_BACKEND, forced
from observing import TestWatcher, Watcher
from programs import programs_of_this_backend

PROGRAMS = programs_of_this_backend()
OPAQUE = ("No gradients provided", "but called with", "Traceback")


@functools.cache
def trained_by_keras(name, shuffled):
    train = reference.shuffled_model_fit if shuffled else reference.model_fit
    return reference.run(PROGRAMS[name], train)


def is_shuffled(program):
    """Whether the library draws the order of the program's samples, all of them NumPy arrays."""
    return reference.can_be_permuted(program)


@pytest.mark.parametrize("way", OF_THIS_BACKEND)
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_trains_as_with_model_fit(name, way):
    program = PROGRAMS[name]
    with forced(way):
        got = reference.run(program, reference.portable_fit())
    bad = report(judge(trained_by_keras(name, shuffled=False), got, program.sensitivity))
    assert not bad, f"{got.engine} ({got.reason}):\n{bad}"
    assert got.engine in ("compiled", "keras")
    assert bool(got.reason) == (got.engine == "keras"), "a fallback says why"
    assert not any(words in got.reason for words in OPAQUE), (
        "in words of the program, not of the tracing"
    )


@pytest.mark.parametrize("watcher", [Watcher, TestWatcher])
@pytest.mark.parametrize("name", PROGRAMS)
def test_hooks_see_the_training_that_model_fit_shows(name, watcher):
    program = PROGRAMS[name]
    expected = reference.run(program, reference.model_fit, watcher)
    got = reference.run(program, reference.portable_fit(), watcher)
    bad = report(judge(expected, got, program.sensitivity))
    assert not bad, f"{got.engine} ({got.reason}):\n{bad}"


@pytest.mark.parametrize("name", [name for name in PROGRAMS if is_shuffled(PROGRAMS[name])])
def test_shuffled_program_trains_in_the_order_that_is_drawn(name):
    program = PROGRAMS[name]
    got = reference.run(program, reference.portable_fit(shuffle=True))
    bad = report(judge(trained_by_keras(name, shuffled=True), got, program.sensitivity))
    assert not bad, f"{got.engine} ({got.reason}):\n{bad}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_engine_keras_is_model_fit(name):
    program = PROGRAMS[name]
    got = reference.run(program, reference.portable_fit("keras"))
    bad = report(judge(trained_by_keras(name, shuffled=False), got, program.sensitivity))
    assert not bad, bad
    assert (got.engine, got.reason) == ("keras", "")
