"""The command: exit codes, formats, fixes, processes, and the plugin of flake8."""

import json
import os
import subprocess
import sys

import jsonschema
import pytest

from backends_matrix.lint.rule import RULES

from .calling import IF, LAYER, findings, lint
from .sarif_schema import SCHEMA


def test_a_finding_is_shown_with_its_line_and_what_to_write(folder):
    done = lint("model.py")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "model.py:7:16: PK102 np.exp is called on a tensor [numpy-call]",
        "    return np.exp(x)",
        "           ^^^^^^^^^",
        "    Use the function of the same name in keras.ops. [--fix]",
        "1 file, 1 finding, 1 of them mended by --fix",
    ]


def test_nothing_found_is_exit_code_0(folder):
    (folder / "model.py").write_text("import keras\n")
    done = lint("model.py")
    assert (done.exit_code, done.stdout) == (0, "1 file, 0 findings\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "takes at least one file or folder"),
        (("nowhere.py",), "nowhere.py does not exist"),
        (("notes.txt",), r"notes.txt is not a Python file \(.py\) or a folder"),
        (("empty",), "no Python file in empty"),
        (("model.py", "--select", "PK999"), "--select: no rule is called 'PK999'; expected a code"),
        (("model.py", "--fix", "--diff"), "give one of them"),
        (("model.py", "--unsafe-fixes"), "add --fix or --diff"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(folder, arguments, message):
    (folder / "notes.txt").write_text("")
    (folder / "empty").mkdir()
    done = lint(*arguments)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("portable: error: ")
    assert __import__("re").search(message, done.stderr)


@pytest.mark.parametrize(
    "content",
    [
        b"def broken(:\n",
        b"\x00",
        b"# coding: nonsense\n",
        b"x = '\xff'\n",
        b"(" * 5000 + b")" * 5000,
    ],
)
def test_a_file_that_cannot_be_read_is_exit_code_3_and_the_others_go_on(folder, content):
    (folder / "broken.py").write_bytes(content)
    done = lint(".")
    assert done.exit_code == 3
    assert "model.py:7:16: PK102" in done.stdout
    assert "1 files could not be read" in done.stdout
    assert done.stderr.startswith("portable: error: broken.py:")
    assert len(done.stderr.splitlines()) == 1


def test_json_holds_the_contract_and_the_fix(folder):
    [found] = findings("model.py")
    assert found["fix"].pop("edits") == [
        {
            "start_line": 7,
            "start_column": 16,
            "end_line": 7,
            "end_column": 22,
            "text": "keras.ops.exp",
        }
    ]
    assert found == {
        "path": "model.py",
        "line": 7,
        "column": 16,
        "end_line": 7,
        "end_column": 25,
        "rule": "PK102",
        "message": "np.exp is called on a tensor",
        "hint": "Use the function of the same name in keras.ops.",
        "fix": {"title": "call keras.ops.exp", "safe": True, "imports": []},
    }


def test_github_annotations_are_workflow_commands(folder):
    (folder / "a,b.py").write_text(IF)
    done = lint("a,b.py", "--format", "github")
    assert done.stdout == (
        "::error file=a%2Cb.py,line=7,endLine=7,col=21,endColumn=41,title=PK201 if-on-tensor::a conditional "
        "expression tests a tensor. Use keras.ops.where, or keras.ops.cond for a branch that must not be "
        "computed.\n"
    )


def test_sarif_follows_its_schema(folder):
    (folder / "other.py").write_text(IF)
    (folder / "broken.py").write_text("(")
    done = lint(".", "--format", "sarif")
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    [run] = document["runs"]
    assert {each["id"] for each in run["tool"]["driver"]["rules"]} == {"PK102", "PK201"}
    assert [each["ruleId"] for each in run["results"]] == ["PK102", "PK201"]
    assert run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0] == {
        "deletedRegion": {"startLine": 7, "startColumn": 16, "endLine": 7, "endColumn": 22},
        "insertedContent": {"text": "keras.ops.exp"},
    }
    assert run["invocations"][0]["executionSuccessful"] is False


def test_statistics_count_each_rule(folder):
    done = lint(".", "--statistics")
    assert done.stdout.splitlines()[0].split()[:3] == ["1", "PK102", "numpy-call:"]


def test_diff_changes_nothing(folder):
    done = lint("model.py", "--diff")
    assert done.exit_code == 1
    assert "-        return np.exp(x)\n+        return keras.ops.exp(x)\n" in done.stdout
    assert (folder / "model.py").read_text() == LAYER


def test_diff_and_fix_give_the_same_where_one_fix_makes_place_for_another(folder):
    nested = LAYER.replace("np.exp(x)", "np.abs(np.exp(np.mean(x) + np.sin(x)))")
    (folder / "model.py").write_text(nested)
    shown = lint("model.py", "--diff").stdout
    assert lint("model.py", "--fix").exit_code == 0
    [line] = [each for each in (folder / "model.py").read_text().splitlines() if "return" in each]
    assert f"+{line}\n" in shown
    assert "np." not in line


def test_fix_mends_and_keeps_line_ends_and_encoding(folder):
    before = ("# coding: latin-1\n# gr\u00fcn\n" + LAYER).replace("\n", "\r\n").encode("latin-1")
    (folder / "model.py").write_bytes(before)
    done = lint("model.py", "--fix")
    assert done.exit_code == 0, done.output
    assert done.stderr == "1 finding mended\n"
    assert (folder / "model.py").read_bytes() == before.replace(b"np.exp", b"keras.ops.exp")


def test_fix_adds_the_import_that_it_needs(folder):
    text = '"""Model."""\n\nfrom __future__ import annotations\n\n' + LAYER.replace(
        "import keras\n", "from keras.layers import Layer\n"
    ).replace("keras.layers.Layer", "Layer")
    (folder / "model.py").write_text(text)
    assert lint("model.py", "--fix").exit_code == 0
    after = (folder / "model.py").read_text()
    assert "import numpy as np\nfrom keras import ops\n" in after
    assert "return ops.exp(x)" in after


def test_many_files_are_linted_in_parallel_with_the_same_result(folder):
    for number in range(40):
        (folder / f"model_{number}.py").write_text(LAYER if number % 2 else IF)
    alone = findings(".", "--jobs", "1", "--no-cache")
    assert findings(".", "--jobs", "2", "--no-cache") == alone
    assert len(alone) == 41


def test_the_flake8_plugin_calls_the_same_engine(folder, monkeypatch):
    from backends_matrix.lint.flake8_plugin import Plugin

    found = list(Plugin(None, "model.py", LAYER.splitlines(keepends=True)).run())
    assert found == [
        (
            7,
            15,
            "PK102 np.exp is called on a tensor. Use the function of the same name in keras.ops.",
            Plugin,
        )
    ]


def test_the_rules_are_listed(folder):
    listed = lint("--rules").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted(RULES)


def test_the_command_imports_no_framework(folder):
    script = (
        "import sys\nfrom backends_matrix.cli import main\n"
        "try:\n    main(['lint', 'model.py'])\nexcept SystemExit as stop:\n    print(stop.code)\n"
        "print({'keras', 'jax', 'torch', 'tensorflow', 'numpy.testing'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-2:] == ["1", "set()"], done.stderr
