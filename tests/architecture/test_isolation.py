"""What importing the project imports with it, each seen in a fresh process."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from backends_matrix.cli.program import COMMANDS

FRAMEWORKS = {"jax", "tensorflow", "torch"}
INSTALLED = [name for name in sorted(FRAMEWORKS) if importlib.util.find_spec(name)]
# Keras imports JAX, where it is installed, whatever its backend is.
TOLERATED = {"jax"}
DEFINITIONS = (
    "portable_models.data.pipelines",
    "portable_models.experiments",
    "portable_models.losses",
    "portable_models.metrics",
    "portable_models.models",
    "portable_models.random",
    "portable_models.training",
)
PARENT = (
    "portable_models",
    "portable_models.data.samples",
    "portable_models.plots",
    "backends_matrix",
    "backends_matrix.cli",
    *(f"backends_matrix.cli.{name}" for name in COMMANDS),
    "backends_matrix.lint",
    "backends_matrix.lint.command",
    "backends_matrix.lint.flake8_plugin",
    "backends_matrix.report",
    "backends_matrix.versions",
)


def imported_by(*modules, backend="none of the three"):
    """The frameworks, and keras, that importing these modules brings into a fresh interpreter."""
    watched = sorted(FRAMEWORKS | {"keras"})
    script = (
        "import importlib, json, sys\n"
        f"for module in {modules}: importlib.import_module(module)\n"
        f"print(json.dumps([name for name in {watched} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", PARENT)
def test_what_the_parent_process_imports_is_free_of_keras(module):
    assert imported_by(module) == set()


@pytest.mark.parametrize("backend", INSTALLED)
def test_definitions_import_their_own_backend_only(backend):
    found = imported_by(*DEFINITIONS, backend=backend)
    assert {"keras", backend} <= found
    assert found - TOLERATED - {"keras", backend} == set()


@pytest.mark.parametrize("backend", INSTALLED)
def test_export_imports_no_other_framework_until_it_is_used(backend):
    found = imported_by("portable_models.export", backend=backend)
    assert found - TOLERATED - {"keras", backend} == set()


def test_a_command_is_imported_when_it_is_called():
    script = "import sys, backends_matrix.cli; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    found = set(done.stdout.split())
    assert "backends_matrix.cli.program" in found
    heavy = {"backends_matrix.run.matrix_run", "portable_models.export", "matplotlib", "h5py"}
    assert not heavy & found
    assert not {f"backends_matrix.cli.{name}" for name in COMMANDS} & found
