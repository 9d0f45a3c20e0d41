"""What is worked out beside a training is the same as without it, and fails where it would."""

import threading

import numpy as np
import pytest

from portable_models import Recipe, models, portable_random
from portable_models._backend import current
from portable_models.training import compiled_engine, proofs
from portable_models.training.beside import beside

from .study import fit

RECIPE = Recipe(optimizer="sgd", loss="mse", metrics=("mae",), epochs=2, batch_size=4)
IN_THREADS = current().computes_in_threads


def train(**settings):
    x = np.random.default_rng(0).normal(size=(9, 13)).astype("float32")
    with portable_random(0):
        model = models.boston_regressor()
    return fit(model, (x, x.sum(axis=1)), RECIPE, **settings)


def test_work_is_left_until_a_training_begins():
    seen = []

    def work(number):
        seen.append((number, threading.current_thread() is threading.main_thread()))
        return number

    with beside() as aside:
        first, second = aside.leave(work, 1), aside.leave(work, 2)
        assert len(seen) == (0 if IN_THREADS else 2)
        aside.begin()
        assert (first(), second(), first()) == (1, 2, 1)
    assert seen == [(1, not IN_THREADS), (2, not IN_THREADS)]


def test_what_is_waited_for_is_done_without_a_training():
    with beside() as aside:
        assert aside.leave(sum, (1, 2))() == 3


@pytest.mark.skipif(not IN_THREADS, reason="what this backend does at once fails at once")
def test_a_failure_comes_to_who_waits():
    with beside() as aside:
        wait = aside.leave(int, "seven")
        aside.begin()
        with pytest.raises(ValueError, match="seven"):
            wait()


def test_one_inside_of_another_is_the_same():
    with beside() as outer:
        with beside() as inner:
            assert inner is outer
        assert outer.leave(sum, (1, 2))() == 3
    with beside() as another:
        assert another is not outer


def test_the_engines_prove_the_same():
    found = [train(engine=engine) for engine in ("keras", "compiled")]
    assert [each.engine for each in found] == ["keras", "compiled"]
    assert found[0].digests == found[1].digests
    assert all(found[0].digests[name] for name in ("order", "batches", "initial_weights"))


def test_without_proof_nothing_is_read(monkeypatch):
    monkeypatch.setattr(compiled_engine, "read_digests", None)
    assert train(prove=False).digests == {}


def test_a_proof_that_fails_is_no_silence(monkeypatch):
    def fail(*_, **__):
        raise OSError("cannot be read")

    monkeypatch.setattr(proofs, "order_digest", fail)
    with pytest.raises(OSError, match="cannot be read"):
        train()
