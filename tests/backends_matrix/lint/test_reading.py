"""Classes are known through what they inherit; values through assignments, calls and branches."""

import subprocess
import sys
from pathlib import Path

import pytest

from backends_matrix.lint import lint_text
from backends_matrix.lint.engine import Linter
from backends_matrix.lint.project import Project

HEAD = (
    "import keras\nimport numpy as np\nimport tensorflow as tf\nfrom keras import layers, ops\n\n"
)


def rules(text):
    return [each.rule for each in lint_text(HEAD + text, "module.py")]


def layer(call, before=""):
    body = "\n".join(f"        {line}" for line in call.splitlines())
    head = "class Example(layers.Layer):\n    def call(self, x, mask=None, training=None):"
    return f"{before}\n{head}\n{body}\n"


@pytest.mark.parametrize(
    "base",
    [
        "keras.Layer",
        "keras.layers.Layer",
        "layers.Dense",
        "Alias",
        "Mixed",
        "keras.Model",
        "Chosen",
        "tf.keras.layers.Layer",
    ],
)
def test_a_layer_is_known_by_its_ancestors(base):
    text = f"""
Alias = keras.layers.Layer
class Mixin: pass
class Mixed(Mixin, Alias): pass
Chosen = keras.Model if len("x") else keras.Layer
class Example({base}):
    def call(self, x):
        return np.exp(x)
"""
    assert "PK102" in rules(text)


@pytest.mark.parametrize("base", ["object", "dict", "Unknown", "np.ndarray"])
def test_other_classes_are_left_alone(base):
    assert (
        rules(f"class Example({base}):\n    def call(self, x):\n        return np.exp(x)\n") == []
    )


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_ancestors_and_helpers_are_followed_through_the_package_and_its_re_exports(tmp_path):
    write(
        tmp_path,
        {
            "own/__init__.py": "from own.bases import Base as PublicBase\nfrom own.numbers import *\n",
            "own/bases.py": "from keras import layers\nclass Base(layers.Layer): pass\n",
            "own/numbers.py": "import numpy as np\ndef grow(values):\n    return np.exp(values)\n",
            "own/use/__init__.py": "",
            "own/use/layer.py": "from .. import PublicBase, grow\n"
            "class Example(PublicBase):\n    def call(self, x):\n        return grow(x)\n",
        },
    )
    result = Linter().lint(tmp_path / "own/use/layer.py")
    assert [(Path(each.path).name, each.line, each.rule) for each in result.findings] == [
        ("numbers.py", 3, "PK102")
    ]
    assert {name for name, _, _ in result.consulted} >= {"own", "own.bases", "own.numbers"}


def test_installed_packages_are_read_from_their_source(tmp_path):
    write(
        tmp_path,
        {
            "site/their/__init__.py": "import keras\nclass Base(keras.layers.Layer): pass\n",
            "mine.py": "import numpy as np\nimport their\nclass Example(their.Base):\n"
            "    def call(self, x):\n        return np.exp(x)\n",
        },
    )
    assert Linter(Project([])).lint(tmp_path / "mine.py").findings == ()
    found = Linter(Project([str(tmp_path / "site")])).lint(tmp_path / "mine.py").findings
    assert [each.rule for each in found] == ["PK102"]


@pytest.mark.parametrize(
    "call",
    [
        "y = x * 2\nz = y\nreturn np.exp(z)",
        "y, z = x[:, 0], 3\nreturn np.exp(y)",
        "parts = []\nparts.append(ops.abs(x))\nreturn np.stack(parts)",
        "parts = [ops.abs(x) for _ in range(3)]\nreturn np.stack(parts)",
        "y = 1\nfor _ in range(3):\n    y = y + ops.abs(x)\nreturn np.exp(y)",
        "def inner(v):\n    return np.exp(v)\nreturn inner(ops.abs(x))",
        "return (lambda v: np.exp(v))(ops.abs(x))",
        "if training:\n    y = ops.abs(x)\nelse:\n    y = ops.exp(x)\nreturn np.exp(y)",
        "with keras.name_scope('a'):\n    y = ops.abs(x)\nreturn np.exp(y)",
        "try:\n    y = ops.abs(x)\nfinally:\n    pass\nreturn np.exp(y)",
        "return ops.vectorized_map(lambda v: np.exp(v), x)",
        "return np.exp(y) if (y := ops.abs(x)) is not None else x",
    ],
)
def test_a_tensor_is_followed_to_numpy(call):
    assert "PK102" in rules(layer(call))


@pytest.mark.parametrize(
    "call",
    [
        "return x * np.exp(2.0)",
        "return x * np.sqrt(x.shape[-1])",
        "y = x\ny = 3\nreturn x * np.exp(y)",
        "if isinstance(x, np.ndarray):\n    return np.exp(x)\nreturn x",
        "if not ops.is_tensor(x):\n    return np.exp(x)\nreturn x",
        "if keras.backend.backend() == 'torch':\n    return np.exp(x)\nreturn x",
        "if keras.config.backend() != 'numpy':\n    return x\nreturn np.exp(x)",
        "match keras.backend.backend():\n    case 'torch':\n        return np.exp(x)\nreturn x",
        "return tf.exp(x) if keras.backend.backend() == 'tensorflow' else x",
        "backend = keras.backend.backend()\nif backend == 'tensorflow':\n    return tf.exp(x)\nreturn x",
        "try:\n    return np.exp(x)\nexcept Exception:\n    return x",
        "return x * len(x.shape) * int(x.ndim)",
    ],
)
def test_what_is_no_tensor_or_is_meant_for_one_backend_is_left_alone(call):
    assert rules(layer(call)) == []


def test_a_call_for_another_backend_than_the_condition_names_is_found():
    call = "if keras.backend.backend() == 'torch':\n    return tf.exp(x)\nreturn x"
    assert rules(layer(call)) == ["PK101"]


def test_functions_that_keras_is_given_are_read():
    text = """
def loss(target, output):
    return np.mean(output)

def shape(values):
    return tf.abs(values)

model = keras.Sequential([layers.Lambda(shape)])
model.compile(loss=loss)
"""
    assert {"PK102", "PK101"} <= set(rules(text))


def test_host_side_layers_are_left_alone():
    text = """
class Tokenizer(layers.Layer):
    def call(self, x):
        return tf.strings.lower(x)

class Converting(layers.Layer):
    def __init__(self):
        super().__init__()
        self._convert_input_args = False

    def call(self, x):
        return tf.strings.lower(x)
"""
    assert rules(text) == []


def test_columns_are_counted_in_characters():
    text = layer("größe = 'äöü'; return np.exp(x)")
    found = lint_text(HEAD + text, "module.py")
    line = (HEAD + text).split("\n")[found[0].line - 1]
    assert line[found[0].column - 1 : found[0].end_column - 1] == "np.exp(x)"


def test_nothing_is_imported_or_run(tmp_path):
    (tmp_path / "mean.py").write_text(
        "import keras\nimport their\nraise SystemExit('ran')\nclass A(their.Base): pass\n"
    )
    (tmp_path / "their.py").write_text(
        "import keras\nraise SystemExit('ran')\nBase = keras.Layer\n"
    )
    script = (
        "import sys; from pathlib import Path; from backends_matrix.lint.engine import Linter\n"
        "result = Linter().lint(Path('mean.py'))\n"
        "loaded = {'keras', 'jax', 'torch', 'tensorflow', 'their'} & set(sys.modules)\n"
        "print(result.error, sorted(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "None []", done.stderr
