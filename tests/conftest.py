"""What every test runs under: one Keras backend, bounded threads, nothing skipped in silence."""

import atexit
import importlib.util
import os
import shutil
import tempfile

import pytest

BACKENDS = [name for name in ("jax", "tensorflow", "torch") if importlib.util.find_spec(name)]
SLOW = {
    "full_data": ("PORTABLE_MODELS_DATA", "tests on the real data"),
    "all_programs": ("PORTABLE_MODELS_PROGRAMS", "tests of further training programs"),
    "thorough": ("PORTABLE_MODELS_THOROUGH", "tests that show more of what others show"),
    "all_exports": ("PORTABLE_MODELS_EXPORTS", "tests of many exports"),
}
"""Marker of slow proof -> the variable that lets it run, and what it is."""

# Read by the frameworks when they are imported, so set before any test module imports keras.
os.environ.setdefault("KERAS_BACKEND", BACKENDS[0] if BACKENDS else "none installed")
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")
# What an earlier run has kept decides nothing here; tests of keeping name a folder of their own.
os.environ["PORTABLE_MODELS_CACHE"] = ""
# Many tests compile the same small programs: a third of what JAX costs here. The first process of a run makes
# a folder for them; its workers and their children find it in the environment, and it goes with the run.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="compiled-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.fixture(scope="session")
def backends():
    """The names of the installed backends; reading them imports nothing."""
    return BACKENDS


def pytest_report_header():
    return (
        f"keras backend: {os.environ['KERAS_BACKEND']} (installed: {', '.join(BACKENDS) or 'none'})"
    )


def pytest_collection_modifyitems(items):
    for marker, (variable, _) in SLOW.items():
        if not os.environ.get(variable):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"{variable} is not set"))


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    for marker, (variable, what) in SLOW.items():
        # A module that is skipped as a whole has a report without keywords.
        count = sum(marker in getattr(report, "keywords", ()) for report in skipped)
        if count and not os.environ.get(variable):
            terminalreporter.write_line(f"{count} {what} did not run: {variable} is not set")
