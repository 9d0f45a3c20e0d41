"""JAX with four devices, and JAX that says it computes on a GPU: the numbers are those of one CPU."""

import importlib.util

import pytest

from .computed import Computed, assert_equal

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed"),
]

NAMES = ("numbers", "words", "side_by_side", "own_call", "drawn", "measured", "step")
FLAGS = "--xla_cpu_multi_thread_eigen=false"


def computed(kind, tmp_path_factory, flags=""):
    environment = {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{FLAGS} {flags}",
        # What is alike in two processes is compiled in the first one.
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.getbasetemp() / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    return Computed("jax_work.py", kind, tmp_path_factory.mktemp(kind), NAMES, environment)


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return computed("one", tmp_path_factory)


@pytest.fixture(scope="module")
def on_four(tmp_path_factory):
    return computed("four", tmp_path_factory, "--xla_force_host_platform_device_count=4")


@pytest.fixture(scope="module")
def on_gpu(tmp_path_factory):
    return computed("gpu", tmp_path_factory)


@pytest.mark.parametrize("name", NAMES)
def test_four_devices_compute_what_one_does(name, on_four, on_one):
    assert_equal(on_four.of(name), on_one.of(name))


@pytest.mark.parametrize("name", NAMES)
def test_ways_of_a_gpu_compute_what_those_of_a_cpu_do(name, on_gpu, on_one):
    """Members under one map, epochs in loops whatever they hold, values that stay on the device."""
    assert_equal(on_gpu.of(name), on_one.of(name))


@pytest.mark.parametrize("name", ["numbers", "words", "side_by_side", "own_call"])
def test_nothing_falls_back(name, on_four, on_gpu):
    for each in (on_four, on_gpu):
        assert (each.said[name]["engine"], each.said[name].get("reason", "")) == ("compiled", "")


def test_devices_are_counted_and_named(on_one, on_four, on_gpu):
    found = [each.said["devices"] for each in (on_one, on_four, on_gpu)]
    assert [each["counts"]["cpu"] for each in found] == [1, 4, 1]
    assert [each["kind"] for each in found] == ["cpu", "cpu", "gpu"]
    assert [bool(each["card"]) for each in found] == [False, False, True]
