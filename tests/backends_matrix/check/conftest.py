"""One set of warm workers for all tests of a session that check models."""

import functools
import importlib.util

import pytest

from backends_matrix.check import CheckSettings, check
from backends_matrix.check.pool import Pool

BACKENDS = ("jax", "tensorflow", "torch")


def pytest_collection_modifyitems(config, items):
    """Most of the corpus, which takes ten minutes, runs with ``-m corpus`` only; pytest counts it."""
    if "corpus" in (config.option.markexpr or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("corpus")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def pool():
    missing = [name for name in BACKENDS if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs all three backends; {', '.join(missing)} not installed")
    with Pool(CheckSettings()) as warm:
        yield warm


@pytest.fixture(scope="session")
def checked(pool):
    """``checked(path, **options)``: the result of one target."""

    @functools.cache
    def run(path, **options):
        return check(str(path), pool=pool, **options).targets[0]

    return run
