"""The lint finds a planted violation of each rule, and none in what is allowed."""

import subprocess
import sys
from pathlib import Path

import import_lint
import pytest

ROOT = Path(__file__).parents[2]
RULES = import_lint.load_rules()

IMDB = "portable_models/models/imdb.py"
BROKEN = [
    (import_lint.direction, IMDB, "from backends_matrix.run import cell", "never imports"),
    (import_lint.direction, IMDB, "def f():\n    import backends_matrix.run.cell", "never imports"),
    (import_lint.frameworks, IMDB, "def f():\n    import torch.nn", "whose name holds torch may"),
    (import_lint.frameworks, IMDB, "def f():\n    __import__('torch')", "whose name holds torch"),
    (
        import_lint.frameworks,
        "backends_matrix/run/supervisor.py",
        "def f():\n    importlib.import_module('tensorflow.nn')",
        "imports tensorflow: only a file whose name holds tensorflow may",
    ),
    (
        import_lint.frameworks,
        "portable_models/export/torch_module.py",
        "def f():\n    from jaxlib import xla_client",
        "imports jaxlib: only a file whose name holds jax may",
    ),
    (import_lint.frameworks, "portable_models/export/jax_function.py", "import jax", "at its top"),
    (
        import_lint.frameworks,
        "portable_models/export/jax_function.py",
        "class Step:\n    import jax",
        "imports jax at its top: import it in a function",
    ),
    (import_lint.asks_backend, IMDB, "name = keras.backend.backend()", "a method of"),
    (import_lint.asks_backend, IMDB, "name = keras.config.backend()", "a method of"),
    (import_lint.asks_backend, IMDB, "name = backend.backend()", "asks which backend runs"),
    (import_lint.asks_backend, IMDB, "from keras.config import backend", "asks which backend"),
    (
        import_lint.asks_backend,
        "backends_matrix/run/supervisor.py",
        "name = os.environ['KERAS_BACKEND']",
        "asks which backend runs: make it a method of portable_models._backend.Backend",
    ),
    (import_lint.keras_versions, IMDB, "from keras.src import ops", "reaches into keras.src"),
    (
        import_lint.keras_versions,
        IMDB,
        "from keras import src",
        "function of portable_models._keras",
    ),
    (
        import_lint.keras_versions,
        IMDB,
        "def f():\n    import keras.src.ops as ops",
        "reaches into keras.src",
    ),
    (
        import_lint.keras_versions,
        IMDB,
        "kind = keras.src.models.Functional",
        "reaches into keras.src",
    ),
    (
        import_lint.keras_versions,
        "backends_matrix/run/supervisor.py",
        "def f():\n    importlib.import_module('keras.src.backend')",
        "reaches into keras.src",
    ),
    (
        import_lint.compares_backend,
        IMDB,
        "if backend == 'torch':\n    pass",
        "compares with 'torch'",
    ),
    (import_lint.keras_versions, IMDB, "from keras.src.ops import core", "reaches into keras.src"),
    (import_lint.keras_versions, IMDB, "x = keras.src.backend.random", "portable_models._keras"),
    (
        import_lint.keras_versions,
        IMDB,
        "if parse(keras.__version__) < parse('3.13'):\n    pass",
        "compares a version",
    ),
    (
        import_lint.compares_backend,
        IMDB,
        "x = current().name in {'jax'}",
        "make it a method of Backend",
    ),
    (
        import_lint.keras_free,
        "backends_matrix/run/cell.py",
        "import keras",
        "must not import keras",
    ),
    (
        import_lint.keras_free,
        "portable_models/plots/curves.py",
        "from keras.optimizers import Adam",
        "when it is imported: portable_models.plots.curves -> keras",
    ),
    (
        import_lint.cycles,
        "backends_matrix/run/cell.py",
        "def f():\n    from backends_matrix.run.cell import Cell",
        "import cycle: backends_matrix.run.cell",
    ),
    (
        import_lint.names,
        "portable_models/data/utils.py",
        "",
        "is called 'utils', which says nothing",
    ),
    (import_lint.names, "tests/training/fit_helpers.py", "", "is called 'helpers', which says"),
    (import_lint.lengths, "benchmarks/speed.py", "x = 1\n" * 301, "has 301 lines, 300 at most"),
]

ALLOWED = [
    ("portable_models/_backend/jax.py", "import jax\nif backend == 'jax':\n    pass"),
    ("portable_models/_backend/base.py", "name = keras.backend.backend()"),
    ("portable_models/_keras/graph.py", "from keras.src.models.functional import Functional"),
    ("portable_models/models/imdb.py", "inside = name.startswith('keras.src.')"),
    ("portable_models/export/torch_module.py", "def f():\n    import torch"),
    ("portable_models/export/torch_layers/dense.py", "import torch"),
    ("portable_models/models/imdb.py", "import keras\nx = 'set KERAS_BACKEND first'"),
    ("portable_models/export/routes.py", "x = route.target == 'torch'"),
    ("portable_models/models/imdb.py", "if TYPE_CHECKING:\n    import torch"),
    ("backends_matrix/run/environment.py", "environment = {'KERAS_BACKEND': name}"),
    ("backends_matrix/run/worker.py", "import keras"),
    ("backends_matrix/run/cell.py", "def f():\n    import keras"),
    ("backends_matrix/run/supervisor.py", "import portable_models"),
    ("tests/test_models.py", "import torch\nname = keras.backend.backend()"),
    ("benchmarks/speed.py", "x = 1\n" * 300),
]


def plant(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def sources_of(root):
    return import_lint.read_sources(root, RULES["sources"])


@pytest.mark.parametrize(("rule", "path", "text", "message"), BROKEN)
def test_planted_violation_is_found(tmp_path, rule, path, text, message):
    plant(tmp_path, path, text)
    places = {found_in for found_in, _, _ in rule(sources_of(tmp_path), RULES)}
    assert places == {path}
    assert any(message in found for _, _, found in import_lint.check(tmp_path, RULES))


@pytest.mark.parametrize(("path", "text"), ALLOWED)
def test_what_is_allowed_is_let_be(tmp_path, path, text):
    plant(tmp_path, path, text)
    assert import_lint.check(tmp_path, RULES) == []


def test_every_rule_has_a_planted_violation():
    assert {rule for rule, *_ in BROKEN} == set(import_lint.CHECKS)


def test_keras_is_found_behind_another_module(tmp_path):
    plant(tmp_path, "portable_models/__init__.py", "")
    plant(tmp_path, "portable_models/models/__init__.py", "from .imdb import build")
    plant(tmp_path, "portable_models/models/imdb.py", "from keras import layers")
    plant(tmp_path, "backends_matrix/run/cell.py", "from portable_models.models import build")
    [(path, _, message)] = import_lint.check(tmp_path, RULES)
    assert path == "backends_matrix/run/cell.py"
    assert message.endswith(
        "backends_matrix.run.cell -> portable_models.models -> portable_models.models.imdb -> keras"
    )


def test_keras_is_found_in_a_package_above(tmp_path):
    plant(tmp_path, "portable_models/plots/__init__.py", "from portable_models.plots import curves")
    plant(tmp_path, "portable_models/plots/curves.py", "import keras")
    plant(tmp_path, "portable_models/plots/figure.py", "")
    paths = [path for path, _, _ in import_lint.check(tmp_path, RULES)]
    assert "portable_models/plots/figure.py" in paths


def test_a_cycle_of_lazy_imports_is_found(tmp_path):
    plant(tmp_path, "backends_matrix/__init__.py", "")
    plant(tmp_path, "backends_matrix/run/plan.py", "from backends_matrix.run import cell")
    plant(
        tmp_path, "backends_matrix/run/cell.py", "def f():\n    import backends_matrix.judge.noise"
    )
    plant(tmp_path, "backends_matrix/judge/noise.py", "from backends_matrix.run.plan import plan")
    plant(tmp_path, "backends_matrix/judge/steps.py", "from backends_matrix.judge import noise")
    [(_, _, message)] = import_lint.check(tmp_path, RULES)
    assert message == (
        "import cycle: backends_matrix.judge.noise <-> backends_matrix.run.cell <-> backends_matrix.run.plan"
    )


def test_nothing_to_check_is_an_error(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no Python file under .*: expected portable_models, "
    ):
        import_lint.check(tmp_path, RULES)


def test_violations_are_printed_and_fail_the_command(tmp_path):
    plant(tmp_path, IMDB, "import keras\n\nname = keras.config.backend()")
    lint = subprocess.run(
        [sys.executable, import_lint.__file__], cwd=tmp_path, capture_output=True, text=True
    )
    assert lint.returncode == 1
    assert lint.stdout.startswith(f"{IMDB}:3: asks which backend runs")
    assert lint.stdout.endswith("1 files, 9 rules, 1 violations\n")


def test_nothing_to_check_fails_the_command(tmp_path):
    lint = subprocess.run(
        [sys.executable, import_lint.__file__], cwd=tmp_path, capture_output=True, text=True
    )
    assert lint.returncode == 2
    assert lint.stderr.startswith("no Python file under")


def test_the_checkout_is_clean():
    assert import_lint.check(ROOT, RULES) == []
