"""The environment that a worker gets before it starts. Nothing of it is set inside a running worker."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from portable_models._cores import cores
from portable_models._cpu_only import CPU_ONLY

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
    card: str | None = None,
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
        card: what ``CUDA_VISIBLE_DEVICES`` calls the card that the worker computes on; None hides none.
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
        return environment | CPU_ONLY
    platforms = environment.get("JAX_PLATFORMS", "")
    if platforms and "cpu" not in platforms.split(","):
        # Keras prepares weights of samples on JAX's CPU, which JAX_PLATFORMS=cuda would hide.
        environment["JAX_PLATFORMS"] = f"{platforms},cpu"
    if device == "gpu":
        _prepare_for_gpu(environment, card)
    return environment


def _prepare_for_gpu(environment: dict[str, str], card: str | None) -> None:
    # Keras may prefer another kind of accelerator on PyTorch.
    environment["KERAS_TORCH_DEVICE"] = "cuda"
    if card is not None:
        environment["CUDA_VISIBLE_DEVICES"] = card
    # JAX would take three quarters of a card's memory when it starts, and TensorFlow all of it.
    environment.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # cuBLAS repeats its bits only with a workspace of fixed size:
    # https://docs.nvidia.com/cuda/cublas/index.html#results-reproducibility
    environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    flags = environment.get("XLA_FLAGS", "")
    if "--xla_gpu_deterministic_ops" not in flags:
        environment["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()


def describe_host() -> dict[str, object]:
    """Describe the machine for the report: Python, operating system, cores."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": cores(),
    }
