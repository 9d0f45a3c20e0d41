"""What is worked out in the background of a training is the same as without it, and fails where it would."""

import threading

import numpy as np
import pytest

from portable_models import Recipe, models, portable_random
from portable_models._backend import current
from portable_models.training import digests as proofs
from portable_models.training.background import background_work
from portable_models.training.engines import compiled_engine

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

    with background_work() as background:
        first, second = background.submit(work, 1), background.submit(work, 2)
        assert len(seen) == (0 if IN_THREADS else 2)
        background.start()
        assert (first(), second(), first()) == (1, 2, 1)
    assert seen == [(1, not IN_THREADS), (2, not IN_THREADS)]


def test_what_is_waited_for_is_done_without_a_training():
    with background_work() as background:
        assert background.submit(sum, (1, 2))() == 3


@pytest.mark.skipif(not IN_THREADS, reason="what this backend does at once fails at once")
def test_a_failure_comes_to_who_waits():
    with background_work() as background:
        wait = background.submit(int, "seven")
        background.start()
        with pytest.raises(ValueError, match="seven"):
            wait()


def test_one_inside_of_another_is_the_same():
    with background_work() as outer:
        with background_work() as inner:
            assert inner is outer
        assert outer.submit(sum, (1, 2))() == 3
    with background_work() as another:
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
