"""Whether the packages that only certificates need are installed."""

from __future__ import annotations

import importlib.util

from backends_matrix.errors import CallError

PACKAGES = ("scipy", "statsmodels")


def require_statistics() -> None:
    """Check that SciPy and statsmodels are there, before any training is run.

    Raises:
        CallError: one is not.
    """
    for name in PACKAGES:
        if importlib.util.find_spec(name) is None:
            raise CallError(
                f"a certificate needs {name}, which is not installed; "
                'install it with pip install "portable-models[certify]"'
            )
