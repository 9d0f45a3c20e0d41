"""Which releases of Keras the library works with, and what it says of others.

This is the only module that compares versions of Keras. It imports no Keras: the version is read from the
loaded module, or from the file ``keras/src/version.py`` that an import would load.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from pathlib import Path
from typing import Final

OLDEST: Final = (3, 12, 4)
"""The oldest release in which every check of ``docs/supported.md`` held."""

BEFORE: Final = (3, 17)
"""The minor release after the newest one in which every check held."""


class UnsupportedKerasError(ImportError):
    """The installed Keras is older than every supported release."""


class UntestedKerasWarning(UserWarning):
    """The installed Keras is newer than every release that the library was tested with."""


def find_keras() -> str:
    """Return the version of the Keras that is imported, or that would be; empty where there is none."""
    loaded = getattr(sys.modules.get("keras"), "__version__", None)
    if isinstance(loaded, str):
        return loaded
    try:
        found = importlib.util.find_spec("keras")
    except (ImportError, ValueError):
        return ""
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder) / "src" / "version.py"
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            stated = re.search(r"__version__\s*=\s*[\"']([^\"']+)[\"']", text)
            return stated.group(1) if stated else ""
    return ""


def check_release(version: str) -> None:
    """Refuse a Keras that is too old, and warn of one that is newer than the tested ones.

    An older Keras lacks what the library calls, so nothing would work. In a newer one, parts that the library
    reaches into may have moved; most of it may work, so it is not refused.

    Args:
        version: as in ``keras.__version__``; empty where Keras is not installed, which is not judged here.

    Raises:
        UnsupportedKerasError: Keras is too old.
    """
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if numbers is None:
        return
    found = tuple(int(number or 0) for number in numbers.groups())
    supported = f"Keras {'.'.join(map(str, OLDEST))} to {BEFORE[0]}.{BEFORE[1] - 1}"
    if found < OLDEST:
        raise UnsupportedKerasError(
            f"portable_models works with {supported}, and Keras {version} is installed: "
            f'run pip install "keras>={".".join(map(str, OLDEST))}"'
        )
    if found[:2] >= BEFORE:
        warnings.warn(
            f"Keras {version} is newer than portable_models was tested with ({supported}); "
            "if something fails, install one of these, or a newer portable_models",
            UntestedKerasWarning,
            stacklevel=3,
        )
