"""A package's ``__all__`` is exactly what is visible in it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("jax", "tensorflow", "torch")
INSTALLED = [name for name in FRAMEWORKS if importlib.util.find_spec(name)]
ABSENT = set(FRAMEWORKS) - set(INSTALLED)
# A package that bears a framework's name imports it, and is read where it is installed.
PACKAGES = sorted(
    ".".join(parts)
    for package in ("portable_models", "backends_matrix")
    for file in (ROOT / package).rglob("__init__.py")
    for parts in [file.parent.relative_to(ROOT).parts]
    if not any(name in part for name in ABSENT for part in parts)
)

SCRIPT = """
import __future__, importlib, json, sys, types, typing

def public(module):
    # Names that are resolved at their first use need not be in dir(), but must resolve.
    lazy = module.__all__ if hasattr(module, "__getattr__") else ()
    for name in {*dir(module), *lazy}:
        value = getattr(module, name)
        lent = any(getattr(lender, name, module) is value for lender in (__future__, typing))
        if not (name.startswith("_") or lent or isinstance(value, types.ModuleType)):
            yield name

found = {}
for name in json.loads(sys.argv[1]):
    module = importlib.import_module(name)
    found[name] = [getattr(module, "__all__", None), sorted(public(module))]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def names():
    """For every package what it declares and what is visible, read in a process with one backend."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(PACKAGES)],
        env=os.environ | {"KERAS_BACKEND": INSTALLED[0]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_what_is_visible(names, package):
    declared, visible = names[package]
    # A package that holds modules and no names needs no __all__.
    assert sorted(declared or ()) == visible


def test_packages_were_found():
    assert {"portable_models", "backends_matrix", "portable_models._backend"} <= set(PACKAGES)
