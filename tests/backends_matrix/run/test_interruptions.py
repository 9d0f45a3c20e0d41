"""A short version of ``tools/interrupt_study.py``."""

import interrupt_study
import pytest

ROUNDS = 2


@pytest.mark.thorough
@pytest.mark.skipif(not interrupt_study.Path("/proc/self").exists(), reason="reads /proc")
def test_random_interruptions_change_nothing(tmp_path, backends, environment, monkeypatch):
    for name in ("JAX_COMPILATION_CACHE_DIR", "PORTABLE_MODELS_CACHE"):
        monkeypatch.setenv(name, environment.get(name, ""))
    disturber = interrupt_study.Disturber(tmp_path, backends[0], 0, seed=3)
    for _ in range(ROUNDS):
        disturber.round()
    assert disturber.failures == []
    ends = ("same verdict and numbers", "refused with one line")
    assert sum(disturber.counts[end] for end in ends) == ROUNDS
