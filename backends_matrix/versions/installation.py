"""A row's environment: made with uv where that is installed, else with venv and pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends_matrix.versions.rows import Row

UV_NAMES = {
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_EXTRA_INDEX_URL",
    "PIP_DEFAULT_TIMEOUT": "UV_HTTP_TIMEOUT",
}
"""uv's name for a setting of pip. uv reads none of pip's, so without these it may take another build, the
one of torch with CUDA for instance."""


COMPLAINT_LENGTH = 400
"""Characters of an installer's error message that are kept; the cause comes last."""


class EnvironmentFailedError(RuntimeError):
    """The environment of a row could not be made."""


def uv_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's settings for pip as settings for uv; what is set for uv already is left alone.

    Args:
        environment: environment variables to read.
    """
    return {
        theirs: ",".join(environment[ours].split())
        if theirs == "UV_FIND_LINKS"
        else environment[ours]
        for ours, theirs in UV_NAMES.items()
        if ours in environment and theirs not in environment
    }


def make(row: Row, folder: Path) -> Path:
    """Make the row's environment in ``folder``.

    Returns:
        Its Python.

    Raises:
        EnvironmentFailedError: there is no such Python, or something could not be installed; with the
            end of what the installer printed.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = _uv()
    if uv:
        _run([uv, "venv", "--quiet", "--python", row.python, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run([_interpreter(row.python), "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # Used once, so what is imported is compiled then; uv compiles nothing in advance either.
        install.append("--no-compile")
    _run([*install, *row.packages])
    if row.without_dependencies:
        _run([*install, "--no-deps", *row.without_dependencies])
    return python


def _uv() -> str | None:
    neighbour = Path(sys.executable).with_name("uv")
    return str(neighbour) if neighbour.exists() else shutil.which("uv")


def _interpreter(version: str) -> str:
    if sys.version.startswith(f"{version}."):
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None:
        raise EnvironmentFailedError(
            f"no Python {version} was found: install it, or install uv, which can fetch one"
        )
    return found


def _run(command: Sequence[str]) -> None:
    environment = uv_settings(os.environ) | dict(os.environ)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or "it printed nothing"
        raise EnvironmentFailedError(f"{' '.join(command[-4:])} failed: {said[-COMPLAINT_LENGTH:]}")
