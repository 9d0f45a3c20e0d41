"""Everything that is run of this project: ``nox --list`` shows what there is.

The first two are what a newcomer needs::

    python -m pip install nox
    python -m nox -s matrix     # three experiments on three backends, and a verdict
    python -m nox -s tests      # the test suite

Environments are made with uv where it is installed and with virtualenv where not. Settings for pip or uv
in the environment (``PIP_FIND_LINKS``, ``UV_INDEX`` ...) are honoured.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import nox
from nox.command import CommandFailed
from nox.virtualenv import UV

ROOT = Path(__file__).parent

# nox runs where nothing but nox is installed. The versions table needs nothing else either, but the
# package's own __init__ does, so it is left out here.
package = ModuleType("backends_matrix")
package.__path__ = [str(ROOT / "backends_matrix")]
sys.modules.setdefault("backends_matrix", package)

from backends_matrix import versions  # noqa: E402
from backends_matrix.versions import smoke, supported, supported_page  # noqa: E402
from backends_matrix.versions.installation import uv_settings  # noqa: E402

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

TABLE = versions.load()
SUPPORTED = supported.load_supported()
CONSTRAINTS = "constraints/tested.txt"
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = {"jax": "jax", "tensorflow": "tensorflow-cpu", "torch": "torch"}
EXPORT_TESTS = ("tests/portable_models/export", "tests/portable_models/export_torch_module")
"""Tests that need several backends and the packages of the export's targets."""
ONCE = (
    "tests/architecture",
    "tests/backends_matrix",
    "tests/docs",
    "tests/portable_models/devices",
    "tests/portable_models/process",
    "tests/portable_models/files/test_moving.py",
    *EXPORT_TESTS,
)
"""Tests in whose process no Keras is needed; they start processes of their own for that, and run once."""
ON_TORCH = (
    "tests/portable_models/data",
    "tests/portable_models/names",
    "tests/portable_models/plots",
    "tests/training_programs/test_harness.py",
)
"""Tests of what is the same code on every backend; ``tests`` runs them on one, ``tests_alone`` on each."""

Command = tuple[Sequence[str], Mapping[str, str]]
"""A command line and the environment variables that it needs."""


@nox.session
def matrix(session: nox.Session) -> None:
    """Train the three experiments on the three backends and judge whether they agree."""
    install_built(session, ".[all]")
    experiments = ("imdb", "boston", "regularization")
    where = ("--data", "sample", "--out", "portable-matrix")
    session.run("portable", "matrix", *experiments, *where, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests: once what needs no Keras, and the rest on each backend."""
    install(session, "-e", ".[all,export]", *group("tests"))
    once = pytest("jax", *ONCE, *session.posargs)
    ignored = {
        each: [f"--ignore={place}" for place in (*ONCE, *(() if each == "torch" else ON_TORCH))]
        for each in EXTRAS
    }
    run_all(session, [once, *(pytest(each, *ignored[each], *session.posargs) for each in EXTRAS)])


@nox.session
@nox.parametrize("backend", [nox.param(each, id=each) for each in EXTRAS])
def tests_alone(session: nox.Session, backend: str) -> None:
    """Run one backend where the other two are not installed."""
    install_built(session, f".[{EXTRAS[backend]},certify,pandas]", *group("tests"))
    others = [each for each in EXTRAS if each != backend]
    absent = f"assert not [each for each in {others} if find_spec(each)]"
    out = session.create_tmp()
    training = ("portable", "run", "boston", "--backend", backend, "--epochs", "1", "--out", out)
    run_all(
        session,
        [
            (("python", "-c", f"from importlib.util import find_spec; {absent}"), {}),
            (training, {}),
            # An export takes several backends and the packages of its targets; `tests` runs those.
            pytest(backend, *(f"--ignore={folder}" for folder in EXPORT_TESTS), *session.posargs),
        ],
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, and who imports what."""
    install(session, *group("lint"))
    commands = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("python", "tools/import_lint.py"),
    )
    run_all(session, [(command, {}) for command in commands])


@nox.session
def lint_examples(session: nox.Session) -> None:
    """Run the examples of every rule of the linter on every backend."""
    install(session, "-e", ".[all]", *group("tests"))
    session.run("pytest", "-m", "backends", "tests/backends_matrix/lint", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    install(session, "-e", ".", *group("types"))
    run_all(session, [(("mypy",), {}), (("mypy", "noxfile.py", "tools", "benchmarks"), {})])


@nox.session
def lessons(session: nox.Session) -> None:
    """Run every lesson on each backend, and compare what they print; options go to tools/run_lessons.py."""
    install(session, "-e", ".[all]", *group("lessons"))
    notebooks = session.create_tmp()
    run_all(
        session,
        [
            (("python", "tools/run_lessons.py", *session.posargs), {}),
            # One notebook shows that notebooks run; their cells are the scripts'.
            (
                ("python", "tools/notebooks.py", notebooks, "02_losses", "--execute"),
                {"KERAS_BACKEND": "torch"},
            ),
            (("python", "tools/notebooks.py", notebooks), {}),
        ],
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build/html; a warning is an error, and nothing is fetched."""
    install(session, "-e", ".[certify,jax,pandas]", *group("docs"))
    places = ("docs", "docs/_build/html")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", *places, *session.posargs)


@nox.session
def packages(session: nox.Session) -> None:
    """Check models of packages that others have published, as docs/packages.md tells; search with one."""
    install(session, "-e", ".[all]")
    checker = "tools/packages/check_packages.py"
    required = str(session.run("python", checker, "requirements", silent=True)).split()
    session.install("--no-deps", *required, env=uv_settings(os.environ))
    session.run("python", checker, *session.posargs)
    session.run("python", "tools/packages/tuner_search.py")


@nox.session(reuse_venv=False)
@nox.parametrize("form", [nox.param(each, id=each) for each in ("sdist", "wheel")])
def dist(session: nox.Session, form: str) -> None:
    """Build an sdist or a wheel, and try it where nothing else is installed."""
    session.install("build>=1.2", env=uv_settings(os.environ))
    session.run("python", "tools/try_distribution.py", form, session.create_tmp())


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and memory."""
    install(session, "-e", ".[all]")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(venv_backend="none")
def gpu(session: nox.Session) -> None:
    """Prove on one card what docs/accelerators.md says, with the frameworks as they are installed here."""
    # An environment of its own would bring other builds of the frameworks than the card's.
    session.run("bash", "benchmarks/gpu.sh", *session.posargs, env={"PYTHON": sys.executable})


@nox.session(name="versions", reuse_venv=False)
@nox.parametrize(
    "python,row",
    [
        nox.param(row.python, row, id=row.name, tags=[*sorted(row.tags), "all"])
        for row in TABLE.rows.values()
    ],
)
def versions_(session: nox.Session, row: versions.Row) -> None:
    """Try one combination of versions, and write down what was found."""
    session.install(*row.packages, env=uv_settings(os.environ))
    if row.without_dependencies:
        session.install("--no-deps", *row.without_dependencies, env=uv_settings(os.environ))
    report = Path(session.create_tmp()) / "report.json"
    report.unlink(missing_ok=True)
    # Exit status 1 is a combination that fails, which may be what the table says.
    session.run(
        *("python", "-I", smoke.__file__, *row.arguments(report)),
        env=row.environment(),
        success_codes=[0, 1],
    )
    finding = versions.judge_file(row, report)
    versions.keep(finding, TABLE, versions.VERIFIED, ROOT / "docs" / "versions.md")
    # All rows together would fill tens of gigabytes.
    shutil.rmtree(session.virtualenv.location)
    outcome = f"{row.name}: {finding.outcome or 'could not be run'} {finding.detail}"
    if not finding.as_expected:
        session.error(outcome)
    session.log(outcome)


@nox.session(name="supported", reuse_venv=False)
@nox.parametrize(
    "python,row", [nox.param(row.python, row, id=row.name) for row in SUPPORTED.values()]
)
def supported_(session: nox.Session, row: supported.Supported) -> None:
    """Run the library in one environment that it supports, and write down what was found."""
    # Not compiled in advance: of what is installed, the checks import a part.
    everything = ("-e", ".[all,torch-module]", "-c", CONSTRAINTS)
    session.install(*everything, env=uv_settings(os.environ))
    # keras-nightly writes into the same folder as keras, and pip would leave both in it.
    with_uv = session.venv_backend == "uv"
    remove = (UV, "pip", "uninstall") if with_uv else ("python", "-m", "pip", "uninstall", "-y")
    session.run_install(*remove, "keras", external=with_uv)
    session.install("--no-deps", row.keras, env=uv_settings(os.environ))
    if row.others:
        session.install(*row.others, env=uv_settings(os.environ))
    with tempfile.TemporaryDirectory(prefix=f"{row.name}-") as folder:
        python = Path(session.bin) / "python"
        tried = supported.try_row(row, python, Path(folder), announce=session.log)
    page = ROOT / "docs" / "supported.md"
    supported_page.keep_tried(tried, SUPPORTED, supported_page.TRIED, page)
    # All rows together would fill tens of gigabytes.
    shutil.rmtree(session.virtualenv.location)
    surprises = supported.find_surprises(row, tried)
    if surprises:
        session.error(f"{row.name}: {'; '.join(surprises)}")


def group(name: str) -> tuple[str, ...]:
    """The requirements of a dependency group in pyproject.toml."""
    return nox.project.dependency_groups(PROJECT, name)


def install(session: nox.Session, *arguments: str) -> None:
    """Install at the versions that are tested."""
    # uv compiles nothing of itself; the first import of the frameworks then takes twice as long.
    environment = {"UV_COMPILE_BYTECODE": "1"} | uv_settings(os.environ)
    session.install(*arguments, "-c", CONSTRAINTS, env=environment)


def install_built(session: nox.Session, *arguments: str) -> None:
    """Install the project as a user gets it: a wheel of what is in the checkout now."""
    # Without this, setuptools packs modules that were deleted since, and uv takes an earlier wheel.
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    fresh = ("--reinstall-package", "portable-models") if session.venv_backend == "uv" else ()
    install(session, *fresh, *arguments)


def pytest(backend: str, *arguments: str) -> Command:
    """A run of pytest on this backend, in at most four processes, as each holds a framework."""
    # Tests of one file share what its fixtures train.
    spread = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile")
    return ("pytest", *spread, *arguments), {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}


def run_all(session: nox.Session, commands: Iterable[Command]) -> None:
    """Run every command, also after one has failed, and then fail if one has."""
    failed = []
    # pytest's exit status 5: an option such as -k has left no test in this part.
    accepted = [0, 5] if session.posargs else [0]
    for command, environment in commands:
        try:
            session.run(*command, env=environment, success_codes=accepted)
        except CommandFailed:
            failed.append(" ".join([*map("=".join, environment.items()), *command]))
    if failed:
        session.error("failed: " + "; ".join(failed))
