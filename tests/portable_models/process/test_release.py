"""What is said of a Keras that is older or newer than the supported releases."""

import os
import subprocess
import sys
import warnings

import pytest

from portable_models._keras.release import (
    UnsupportedKerasError,
    UntestedKerasWarning,
    check_release,
    find_keras,
)

OLD = (
    "portable_models works with Keras 3.12.4 to 3.16, and Keras 3.10.0 is installed: "
    'run pip install "keras>=3.12.4"'
)


@pytest.mark.parametrize("version", ["3.10.0", "3.12.3", "2.15.0"])
def test_an_older_keras_is_refused(version):
    with pytest.raises(UnsupportedKerasError) as caught:
        check_release(version)
    assert str(caught.value) == OLD.replace("3.10.0", version)


@pytest.mark.parametrize("version", ["3.17.0", "3.17.0.dev2027010101", "4.0.0"])
def test_a_newer_keras_is_warned_of(version):
    with pytest.warns(UntestedKerasWarning, match=f"Keras {version} is newer than portable_models"):
        check_release(version)


@pytest.mark.parametrize("version", ["3.12.4", "3.15.1", "3.16.0.dev2026102704", "3.16.2", "", "x"])
def test_nothing_is_said_of_a_supported_keras_or_of_none(version):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_release(version)


def test_the_version_is_that_of_the_keras_that_is_imported():
    import keras

    assert find_keras() == keras.__version__


def run(folder, version, *command):
    """Run Python where a Keras of this version would be imported first, and fails if it is."""
    source = folder / "keras" / "src"
    source.mkdir(parents=True)
    (folder / "keras" / "__init__.py").write_text("raise SystemExit('keras was imported')\n")
    (source / "version.py").write_text(f'__version__ = "{version}"\n')
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


def test_the_last_line_of_an_import_says_what_to_do(tmp_path):
    done = run(tmp_path, "3.10.0", "-c", "import portable_models")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"portable_models._keras.release.UnsupportedKerasError: {OLD}"
    )


def test_an_import_warns_once_of_a_newer_keras_and_imports_none(tmp_path):
    done = run(tmp_path, "3.17.0", "-c", "import portable_models; import portable_models.names")
    assert done.returncode == 1
    assert done.stderr.count("UntestedKerasWarning") == 1
    assert done.stderr.endswith("keras was imported\n")


def test_the_command_says_it_in_one_line(tmp_path):
    done = run(tmp_path, "3.10.0", "-m", "backends_matrix", "matrix", "--help")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"portable: error: {OLD}\n"
