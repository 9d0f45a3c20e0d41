"""Every program trains through ``portable_models.fit`` as through ``Model.fit``, on this backend."""

import dataclasses
import functools

import pytest
import reference
from compare import judge, report
from forcing import OF_THIS_BACKEND, forced
from observing import TestWatcher
from programs import programs_of_this_backend

PROGRAMS = programs_of_this_backend()
ALWAYS = list(PROGRAMS)[::6]
"""About 27 programs, some of each topic; the others are slow proof (marker all_programs)."""
IN_EVERY_WAY = ALWAYS[::3]
MAIN_WAY = "steps" if "steps" in OF_THIS_BACKEND else "as it is"
"""How the programs that always run are compiled: on PyTorch all of them, however short."""


def slow_proof(*case, always):
    return pytest.param(*case, marks=() if always else pytest.mark.all_programs)


PAIRS = [
    slow_proof(name, way, always=name in IN_EVERY_WAY or (name in ALWAYS and way == MAIN_WAY))
    for name in PROGRAMS
    for way in OF_THIS_BACKEND
]
HOOKS = [slow_proof(name, always=name in IN_EVERY_WAY) for name in PROGRAMS]
OPAQUE = ("No gradients provided", "but called with", "Traceback")


@functools.lru_cache(maxsize=1)
def watched_model_fit(name):
    """The reference; pytest runs the tests of one program in a row."""
    return reference.run(PROGRAMS[name], reference.model_fit, TestWatcher)


def unwatched(trained):
    """A training without what the harness's own callback has recorded; it changes nothing else."""
    seen = {
        key: value
        | {"callbacks": [each for each in value["callbacks"] if each[0] != "TestWatcher"]}
        if key.startswith("fit ")
        else value
        for key, value in trained.seen.items()
    }
    return dataclasses.replace(trained, seen=seen)


@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_trains_as_with_model_fit(name, way):
    program = PROGRAMS[name]
    with forced(way):
        got = reference.run(program, reference.portable_fit())
    bad = report(judge(unwatched(watched_model_fit(name)), got, program.sensitivity))
    assert not bad, f"{got.engine} ({got.reason}):\n{bad}"
    assert got.engine in ("compiled", "keras")
    assert bool(got.reason) == (got.engine == "keras"), "a fallback says why"
    assert not any(words in got.reason for words in OPAQUE), "it says what the user can do"


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_see_what_model_fit_shows(name):
    program = PROGRAMS[name]
    got = reference.run(program, reference.portable_fit("keras"), TestWatcher)
    bad = report(judge(watched_model_fit(name), got, program.sensitivity))
    assert not bad, bad
    assert (got.engine, got.reason) == ("keras", "")


def test_shuffled_programs_train_in_the_order_that_is_drawn():
    """Some only, since orders do not depend on what is trained; ``compare.py --shuffle`` runs all."""
    names = [name for name in ALWAYS if reference.can_be_permuted(PROGRAMS[name])][::4]
    assert len(names) > 3
    for name in names:
        program = PROGRAMS[name]
        got = reference.run(program, reference.portable_fit(shuffle=True))
        expected = reference.run(program, reference.shuffled_model_fit)
        bad = report(judge(expected, got, program.sensitivity))
        assert not bad, f"{name}: {got.engine} ({got.reason}):\n{bad}"
