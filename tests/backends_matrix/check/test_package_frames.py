"""An exception inside of an installed package is the package's, unless the user's own code called it."""

import importlib.util

import pytest

from backends_matrix.check.diagnosis.blame import explain_failure
from backends_matrix.check.worker.failure import describe


@pytest.fixture
def package(tmp_path):
    """A module of an installed package."""
    file = tmp_path / "env" / "site-packages" / "layers_of_others" / "blocks.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "def block(x):\n    return x.missing\n\n\ndef wrapped(function):\n    function()\n"
    )
    return _imported(file), file


def _imported(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failure_of(call, root=""):
    try:
        call()
    except AttributeError as error:
        return describe(error, root)
    raise AssertionError("it must raise")


def test_the_innermost_line_of_a_package_is_named(package):
    module, file = package
    # This test is the user's code here; without it there are frames of the package alone.
    found = failure_of(lambda: module.block(1)) | {"frames": []}
    assert (found["package_frame"]["file"], found["package_frame"]["line"]) == (str(file), 2)
    told = explain_failure(found, [], "forward", everywhere=True)
    assert told.cause.startswith("the package layers_of_others: ")
    assert (told.file, told.line) == (str(file), 2)


def test_what_the_users_code_calls_in_a_package_is_the_users(package):
    module, _ = package
    found = failure_of(lambda: module.block(1))
    assert found["frames"][-1]["file"] == __file__
    told = explain_failure(found, [], "forward", everywhere=True)
    assert "the package" not in told.cause
    assert told.file == __file__
