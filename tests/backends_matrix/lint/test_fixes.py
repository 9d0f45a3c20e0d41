"""Safe fixes: what they write means the same as before, and is portable."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backends_matrix.lint import lint_text
from backends_matrix.lint.fixing import add_import, apply_fixes

from .calling import LAYER
from .example import load

PROGRAMS = [
    pytest.param(each, id=f"{each['rule']}-{each['title']}")
    for each in tomllib.loads(Path(__file__).with_name("fixes.toml").read_text())["program"]
]
BACKENDS = ("jax", "tensorflow", "torch")


def mended(text, *, unsafe=False):
    for _ in range(10):
        text = apply_fixes(text, lint_text(text, "program.py"), unsafe=unsafe).text
    return text


def safe_rules(text):
    return {each.rule for each in lint_text(text, "program.py") if each.fix and each.fix.safe}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_mistake_is_found_and_its_fix_leaves_nothing(program):
    assert safe_rules(program["text"]) == {program["rule"]}
    assert lint_text(mended(program["text"]), "program.py") == []


def test_there_is_a_program_for_every_rule_with_a_safe_fix():
    fixable = set().union(*(safe_rules(each.text) for each in load() if each.positive))
    assert {each.values[0]["rule"] for each in PROGRAMS} == fixable


def in_call(expression, imports):
    head = "".join(f"{each}\n" for each in imports)
    return head + LAYER.replace("np.exp(x)", expression)


@pytest.mark.parametrize(
    ("imports", "before", "after"),
    [
        (["import tensorflow as tf"], "tf.nn.gelu(x)", "keras.ops.gelu(x, approximate=False)"),
        (["import tensorflow as tf"], "tf.nn.gelu(x, True)", "keras.ops.gelu(x, True)"),
        (["import tensorflow as tf"], "tf.cast(x, tf.int32)", 'keras.ops.cast(x, "int32")'),
        (["import tensorflow as tf"], "x * tf.shape(x)[-1]", "x * keras.ops.shape(x)[-1]"),
        (["from keras import backend as K"], "K.argmax(x)", "keras.ops.argmax(x, axis=-1)"),
        (["from keras import backend as K"], "K.argmax(x, 1)", "keras.ops.argmax(x, 1)"),
        (["from keras import backend as K"], "K.cumsum(x)", "keras.ops.cumsum(x, axis=0)"),
        (
            ["from keras import backend as K"],
            "K.concatenate([x, x])",
            "keras.ops.concatenate([x, x], axis=-1)",
        ),
        (
            ["from keras import backend as K"],
            "K.expand_dims(x)",
            "keras.ops.expand_dims(x, axis=-1)",
        ),
    ],
)
def test_a_default_that_differs_is_written(imports, before, after):
    assert f"return {after}\n" in mended(in_call(before, imports))


@pytest.mark.parametrize(
    ("imports", "expression"),
    [
        # One argument: places where the condition holds, in a form of each package's own.
        (["import numpy as np"], "x + np.where(x)[0]"),
        (["import tensorflow as tf"], "tf.where(x)"),
        # TensorFlow and PyTorch take no open bound.
        (["import numpy as np"], "np.clip(x, 0, None)"),
        # An integer in Python, a float in keras.ops.
        (["import math"], "x * math.ceil(keras.ops.sum(x))"),
        # A tensor in TensorFlow, a tuple in keras.ops.
        (["import tensorflow as tf"], "tf.shape(x)[:1]"),
        # Sizes, of which keras.ops makes no tensor on every backend.
        (["import tensorflow as tf"], "tf.concat([tf.shape(x)[:1], [-1]], 0)"),
        (["import tensorflow as tf"], "tf.stack([keras.ops.shape(x)[0], x.shape[1]])"),
        # keras.backend's sqrt gave 0 for negative numbers.
        (["from keras import backend as K"], "K.sqrt(x)"),
        (["from keras import backend as K"], "K.relu(x, alpha=0.1)"),
        (["from keras import backend as K"], "K.hard_sigmoid(x)"),
        (["from keras import backend as K"], "K.repeat(x, 3)"),
        (["from keras import backend as K"], "K.clip(x, min_value=0, max_value=1)"),
    ],
)
def test_there_is_no_safe_fix_where_the_result_would_be_another(imports, expression):
    text = in_call(expression, imports)
    assert lint_text(text, "program.py") != []
    after = mended(text)
    assert ast.unparse(ast.parse(expression).body[0]).split("(")[0] in after
    assert lint_text(after, "program.py") != []


def test_an_import_of_tf_keras_stays_while_names_are_used_that_keras_lacks():
    text = "from tensorflow.keras import backend as K\n\n\ndef f(x, y):\n    return {}\n"
    assert mended(text.format("K.batch_dot(x, y)")) == text.format("K.batch_dot(x, y)")
    assert "from keras import backend as K" in mended(text.format("x + K.epsilon()"))
    # A fix of the first round makes place for the import's in the second.
    both = mended(text.format("K.sum(x) + K.epsilon()"))
    assert "from keras import backend as K" in both
    assert "ops.sum(x) + K.epsilon()" in both


def test_an_unsafe_fix_is_applied_when_asked_for():
    text = in_call("K.sqrt(x)", ["from keras import backend as K"])
    assert "return keras.ops.sqrt(x)" in mended(text, unsafe=True)


def test_a_taken_name_is_not_used_for_an_import():
    text = LAYER.replace("import keras\n", "from keras.layers import Layer\n\nops = 3\n")
    after = mended(text.replace("keras.layers.Layer", "Layer"))
    assert "from keras import ops as keras_ops\n" in after
    assert "return keras_ops.exp(x)" in after


def test_an_import_is_not_added_above_the_choice_of_the_backend():
    text = 'import os\n\nos.environ["KERAS_BACKEND"] = "torch"\nfrom keras.layers import Layer\n\nx = 1\n'
    assert add_import(text, "from keras import ops").splitlines()[2:6] == [
        'os.environ["KERAS_BACKEND"] = "torch"',
        "from keras.layers import Layer",
        "from keras import ops",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("model.optimizer", True),
        ("self.optimizer", True),
        ("autoencoder.optimizer", True),
        ("optimizer", True),
        ("config.optimizer", False),
        ("self.cfg.optimizer", False),
        ("opt", False),
    ],
)
def test_lr_of_parsed_arguments_is_left_alone(name, found):
    text = f"import argparse\n\nimport keras\n\nprint({name}.lr)\n"
    if name == "opt":
        text = text.replace("print", "opt = argparse.ArgumentParser().parse_args()\nprint")
    assert [each.rule for each in lint_text(text, "program.py")] == ["PK901"] * found


def test_lr_of_an_optimizer_with_a_short_name_is_found():
    text = "from keras import optimizers\n\nopt = optimizers.Adam()\nopt.lr = 0.1\n"
    assert "opt.learning_rate = 0.1" in mended(text)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory, backends):
    """What `portable check` says of every program, before and after the fix."""
    if set(BACKENDS) - set(backends):
        pytest.skip(f"needs {', '.join(BACKENDS)}; installed: {', '.join(backends)}")
    folder = tmp_path_factory.mktemp("fixes")
    files = {}
    for number, parameter in enumerate(PROGRAMS):
        program = parameter.values[0]
        for when, text in (("before", program["text"]), ("after", mended(program["text"]))):
            path = folder / f"{when}_{number}.py"
            path.write_text(text)
            files[str(path)] = (program["title"], when)
    report = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "backends_matrix", "check", *files, "--json", str(report)],
        capture_output=True,
        text=True,
    )
    # 3, because some of the programs can be built on no backend before the fix.
    assert done.returncode == 3, done.stderr[-2000:]
    targets = json.loads(report.read_text())["targets"]
    return {files[each["target"].removesuffix(":build_model")]: each for each in targets}


@pytest.mark.backends
@pytest.mark.parametrize("program", PROGRAMS)
def test_check_passes_what_a_safe_fix_leaves_and_not_what_stood_before(program, verdicts):
    before, after = (verdicts[program["title"], when] for when in ("before", "after"))
    failed = [each for each in after["checks"] if each["status"] == "fail"]
    assert (after["verdict"], failed) == ("portable", [])
    assert after["executed"] > 50
    assert (before["verdict"] == "portable") == ("unseen" in program)
