"""A row is tried in an environment of its own, from start to end, with the installer replaced."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends_matrix.versions import Outcome, Row, Table, read_verified, verify_rows
from backends_matrix.versions import installation as making
from backends_matrix.versions import verify as verifying
from backends_matrix.versions.installation import EnvironmentFailedError, make, uv_settings

ROOT = Path(__file__).parents[3]
INSTALLED = [name for name in ("jax", "tensorflow", "torch") if importlib.util.find_spec(name)]


def row(**changes):
    given = {
        "name": "here",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "packages": ("keras==3.15.1",),
        "backend": "jax",
        "expected": Outcome.WORKS,
    }
    return Row(**(given | changes))


def table(*rows):
    return Table({each.name: each for each in rows}, {})


@pytest.fixture
def this_environment(monkeypatch):
    """Take the environment that the tests run in for the one that was asked for."""
    monkeypatch.setattr(verifying, "make", lambda row, folder: Path(sys.executable))


@pytest.mark.usefixtures("this_environment")
@pytest.mark.parametrize("backend", INSTALLED)
def test_the_installed_keras_trains_as_the_reference_does(backend):
    here = row(backend=backend, packages=(f"keras=={importlib.metadata.version('keras')}",))
    [finding] = verify_rows(table=table(here))
    assert finding.detail == ""
    assert finding.as_expected
    assert 0 < finding.difference <= here.tolerance


@pytest.mark.usefixtures("this_environment")
def test_a_backend_that_is_not_there_is_a_failure(tmp_path):
    absent = row(backend="no_such_backend")
    [finding] = verify_rows(table=table(absent), record=tmp_path / "verified.json")
    assert (finding.outcome, finding.as_expected) == (Outcome.FAILS, False)
    assert "no_such_backend" in finding.detail
    assert read_verified(tmp_path / "verified.json") == {"here": finding}
    assert "no_such_backend" in (tmp_path / "versions.md").read_text(encoding="utf-8")


def test_a_training_that_hangs_could_not_be_run(monkeypatch):
    monkeypatch.setattr(verifying, "make", lambda row, folder: Path("/bin/true"))
    monkeypatch.setattr(verifying, "TIMEOUT", 0.0)

    def hang(command, *, timeout, **settings):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(verifying.subprocess, "run", hang)
    [finding] = verify_rows(table=table(row()))
    assert finding.outcome is None
    assert finding.detail == "smoke.py was still running after 0 seconds"


def test_an_environment_that_cannot_be_made_could_not_be_run_and_the_next_row_is(monkeypatch):
    def fail(row, folder):
        raise EnvironmentFailedError("no network")

    monkeypatch.setattr(verifying, "make", fail)
    told = []
    rows = table(row(), row(name="there"))
    findings = verify_rows(table=rows, announce=lambda each, finding: told.append(each.name))
    assert [finding.row for finding in findings] == ["here", "there"]
    assert {finding.outcome for finding in findings} == {None}
    assert told == ["here", "here", "there", "there"]


@pytest.fixture
def commands(monkeypatch):
    """The commands that would make an environment."""
    run = []
    monkeypatch.setattr(making, "_run", run.append)
    return run


def test_uv_makes_the_environment_where_it_is_installed(monkeypatch, commands):
    monkeypatch.setattr(making, "_uv", lambda: "uv")
    python = make(row(without_dependencies=("tf_keras==2.21.0",)), Path("e"))
    assert [command[:3] for command in commands] == [
        ["uv", "venv", "--quiet"],
        ["uv", "pip", "install"],
        ["uv", "pip", "install"],
    ]
    assert commands[1][-2:] == [str(python), "keras==3.15.1"]
    assert commands[2][-2:] == ["--no-deps", "tf_keras==2.21.0"]


def test_venv_and_pip_make_the_environment_elsewhere(monkeypatch, commands):
    monkeypatch.setattr(making, "_uv", lambda: None)
    python = make(row(), Path("e"))
    assert commands[0] == [sys.executable, "-m", "venv", "e"]
    assert commands[1][:4] == [str(python), "-m", "pip", "install"]
    assert commands[1][-1] == "keras==3.15.1"


def test_a_python_that_is_not_there_is_told(monkeypatch, commands):
    monkeypatch.setattr(making, "_uv", lambda: None)
    with pytest.raises(EnvironmentFailedError, match=r"no Python 3\.99 was found: install it, or"):
        make(row(python="3.99"), Path("e"))


def test_what_an_installer_complains_of_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(making, "_uv", lambda: sys.executable)
    with pytest.raises(EnvironmentFailedError, match=r"failed: .*can't open file"):
        make(row(), tmp_path)


def test_settings_for_pip_are_passed_on_to_uv():
    settings = uv_settings({"PIP_FIND_LINKS": "wheels more", "PIP_INDEX_URL": "https://index"})
    assert settings["UV_FIND_LINKS"] == "wheels,more"
    assert settings["UV_DEFAULT_INDEX"] == "https://index"


def test_settings_for_uv_come_first():
    settings = uv_settings({"PIP_FIND_LINKS": "wheels", "UV_FIND_LINKS": "mine"})
    assert "UV_FIND_LINKS" not in settings


def test_the_table_is_read_with_the_standard_library_alone():
    script = (
        "import sys, types\n"
        "package = types.ModuleType('backends_matrix')\n"
        f"package.__path__ = [{str(ROOT / 'backends_matrix')!r}]\n"
        "sys.modules['backends_matrix'] = package\n"
        "from backends_matrix import versions\n"
        "print(len(versions.load().rows))"
    )
    # -S leaves installed packages out: nox's environment holds nothing but nox.
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
