"""Build an sdist or a wheel, and try it in an environment that holds nothing else.

    python tools/try_distribution.py wheel FOLDER

``nox -s dist`` runs it for both. FOLDER is where the package and the environment go. The programs run there,
away from the checkout, so that only what was installed can answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIALS = (
    ("python", "-m", "pip", "check"),
    # Isolated: no variable of the environment stands in for what was installed.
    ("python", "-I", "-c", "import portable_models, backends_matrix"),
    ("portable", "--version"),
    ("portable", "run", "boston", "--backend", "jax", "--epochs", "1", "--data", "sample"),
    ("portable", "lint", str(ROOT / "portable_models" / "models")),
)
"""Program and arguments of what must work; the first program is the environment's own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and try; the exit status is that of the first program that failed, and else 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("form", choices=("sdist", "wheel"))
    parser.add_argument("folder", type=Path, help="where the package and the environment go")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    try:
        try_package(build_package(options.form, folder / options.form), folder)
    except subprocess.CalledProcessError as error:
        print(f"{options.form}: {error}", file=sys.stderr)
        return int(error.returncode)
    return 0


def build_package(form: str, folder: Path) -> Path:
    """Build the checkout into ``folder``, and return the file; modules deleted since are not packed."""
    for left_over in (ROOT / "build", folder):
        shutil.rmtree(left_over, ignore_errors=True)
    build = (sys.executable, "-m", "build", f"--{form}", "--outdir", str(folder), str(ROOT))
    subprocess.run(build, check=True)
    (package,) = folder.iterdir()
    return package


def try_package(package: Path, folder: Path) -> None:
    """Install ``package`` with one backend into a new environment, and run each trial.

    Raises:
        CalledProcessError: of the first program that failed.
    """
    bare = folder / "bare"
    venv.create(bare, clear=True, with_pip=True)
    programs = bare / ("Scripts" if os.name == "nt" else "bin")
    elsewhere = folder / "elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    elsewhere.mkdir()
    constraints = str(ROOT / "constraints" / "tested.txt")
    install = ("python", "-m", "pip", "install", "--quiet", f"{package}[jax]", "-c", constraints)
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.pop("PYTHONPATH", None)
    for program, *rest in (install, *TRIALS):
        print("+", program, *rest, flush=True)
        subprocess.run([programs / program, *rest], check=True, cwd=elsewhere, env=environment)


if __name__ == "__main__":
    raise SystemExit(main())
