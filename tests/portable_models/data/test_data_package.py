"""The package as a whole: its names, its examples, and that it needs no keras."""

import doctest
import importlib
import subprocess
import sys

import pytest

import portable_models.data as package


def test_importing_the_data_and_loading_a_sample_imports_no_keras():
    program = (
        "import sys; from portable_models.data import load; load('imdb'); load('boston'); "
        "print(sorted({'keras', 'jax', 'tensorflow', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_name_is_there_and_listed():
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    assert public == set(package.__all__)


@pytest.mark.parametrize("name", ["catalogue", "standardise", "vectorise", "words"])
def test_the_examples_in_docstrings_hold(name):
    module = importlib.import_module(f"portable_models.data.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
