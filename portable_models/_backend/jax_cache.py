"""JAX's cache of compiled programs, used for a while."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

WORTH_SECONDS = 0.03
"""What compiles faster is not kept: to read it would take as long."""


@contextlib.contextmanager
def programs_kept(folder: Callable[[], Path | None]) -> Iterator[None]:
    """Inside, JAX keeps in a folder what it compiles, and takes from there what it knows.

    Where a cache is in use already, the user's own or that of a process around this, it stays so. Source:
    https://docs.jax.dev/en/latest/persistent_compilation_cache.html
    """
    if jax.config.jax_compilation_cache_dir is not None or (found := folder()) is None:
        yield
        return
    settings = {
        "jax_compilation_cache_dir": str(found),
        "jax_persistent_cache_min_compile_time_secs": WORTH_SECONDS,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    _set(settings)
    try:
        with warnings.catch_warnings():
            # A file of the cache that cannot be read or written only costs the time to compile.
            warnings.filterwarnings(
                "ignore", "Error (reading|writing) persistent compilation cache"
            )
            yield
    finally:
        _set(before)


def _set(settings: dict[str, object]) -> None:
    for name, value in settings.items():
        jax.config.update(name, value)
    # JAX looks at these settings once only.
    compilation_cache.reset_cache()
