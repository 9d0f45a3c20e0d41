"""The environment that a worker gets before it starts. Nothing of it is set inside a running worker."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from portable_models._cores import cores

FRAMEWORK_PACKAGES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}
"""Backend -> the package that must be installed for it."""


KERAS_VARIABLES = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")
"""Variables by which a user's own shell would change what a worker computes."""


def installed(backend: str) -> bool:
    """True where the backend's package is installed; it is not imported."""
    return importlib.util.find_spec(FRAMEWORK_PACKAGES[backend]) is not None


def default_backend() -> str | None:
    """The backend that ``KERAS_BACKEND`` names, else the first that is installed; None where none is."""
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen in FRAMEWORK_PACKAGES:
        return chosen
    return next(filter(installed, FRAMEWORK_PACKAGES), None)


def package_version(name: str) -> str | None:
    """The installed version of a package, or of its CPU or nightly build; None where it is not installed."""
    for distribution in (name, f"{name}-cpu", f"{name}-nightly"):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def worker_environment(
    backend: str,
    *,
    device: str,
    threads: int,
    cache: Path | None = None,
    double: bool = False,
    base: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Environment variables for a worker.

    Args:
        backend: what Keras runs on.
        device: cpu, gpu or tpu; on cpu, accelerators are hidden, so that nothing runs there unasked.
        threads: how many threads a worker may compute on; the frameworks' own defaults take every core
            for every worker and slow each other down many times.
        cache: folder for JAX's compiled programs: replicas run the program of the reference, which then is
            compiled once. A folder that the user has named already is kept.
        double: let JAX compute in float64.
        base: what the worker inherits; this process's environment if None.
    """
    environment = dict(os.environ if base is None else base)
    for name in KERAS_VARIABLES:
        environment.pop(name, None)
    count = str(threads)
    environment |= {
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Bitwise the same result on every run of one machine.
        "TF_DETERMINISTIC_OPS": "1",
        "NVIDIA_TF32_OVERRIDE": "0",
        "PYTHONHASHSEED": "0",
        # A keras.json of the user's may ask for it; it holds for JAX only.
        "KERAS_NNX_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }
    if threads == 1:
        flags = environment.get("XLA_FLAGS", "")
        environment["XLA_FLAGS"] = (
            f"{flags} --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1".strip()
        )
    if cache is not None and "JAX_COMPILATION_CACHE_DIR" not in environment:
        environment |= {
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    if double:
        environment["JAX_ENABLE_X64"] = "1"
    if device == "cpu":
        environment |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return environment


def describe_host() -> dict[str, object]:
    """Describe the machine for the report: Python, operating system, cores."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": cores(),
    }
