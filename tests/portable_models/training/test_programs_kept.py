"""On JAX, what one process has compiled the next one need not compile."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend import current
from portable_models.cache import CACHE_VARIABLE, programs_folder

from .study import fit

X = np.linspace(-1, 1, 48, dtype="float32").reshape(12, 4)
RECIPE = Recipe(optimizer="rmsprop", loss="mse", epochs=2, batch_size=4)


def train():
    with portable_random(0):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    training = fit(model, (X, X.sum(axis=1)), RECIPE)
    assert training.engine == "compiled"
    return training.history


if current().name != "jax":

    def test_a_backend_that_keeps_no_programs_trains_as_ever(tmp_path, monkeypatch):
        expected = train()
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
        assert train() == expected
        assert not [*tmp_path.iterdir()]

else:
    import jax

    from portable_models._backend import jax_cache

    @pytest.fixture
    def folder(tmp_path, monkeypatch):
        """Where programs are kept, however fast they were compiled; JAX forgets those that it has at hand."""
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
        monkeypatch.setattr(jax_cache, "WORTH_SECONDS", 0.0)
        # The cache that all tests share would be used in place of this one.
        shared = jax.config.jax_compilation_cache_dir
        jax.config.update("jax_compilation_cache_dir", None)
        jax_cache.compilation_cache.reset_cache()
        jax.clear_caches()
        yield programs_folder()
        jax.config.update("jax_compilation_cache_dir", shared)
        jax_cache.compilation_cache.reset_cache()

    def files(folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_programs_are_kept_and_taken(folder):
        first = train()
        kept = files(folder)
        assert kept
        jax.clear_caches()
        assert train() == first
        # Whatever was compiled anew would have been kept as well.
        assert files(folder) == kept

    def test_damaged_programs_are_compiled_anew(folder):
        first = train()
        for path in folder.iterdir():
            path.write_bytes(b"damaged")
        jax.clear_caches()
        assert train() == first

    def test_settings_are_as_they_were(folder):
        names = ("compilation_cache_dir", "persistent_cache_min_compile_time_secs")
        before = [getattr(jax.config, f"jax_{name}") for name in names]
        train()
        assert [getattr(jax.config, f"jax_{name}") for name in names] == before

    def test_a_cache_of_the_users_own_is_used(folder, tmp_path, monkeypatch):
        own = tmp_path / "own"
        before = jax.config.jax_compilation_cache_dir
        jax.config.update("jax_compilation_cache_dir", str(own))
        try:
            train()
            assert jax.config.jax_compilation_cache_dir == str(own)
        finally:
            jax.config.update("jax_compilation_cache_dir", before)
            jax_cache.compilation_cache.reset_cache()
        assert not files(folder)
