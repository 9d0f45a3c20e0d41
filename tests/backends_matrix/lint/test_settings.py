"""Settings, comments that silence, and the cache."""

import pytest

from .calling import IF, LAYER, findings, lint


def test_the_command_line_selects_in_place_of_the_file(folder):
    (folder / "other.py").write_text(IF)
    (folder / "pyproject.toml").write_text('[tool.portable.lint]\nselect = ["PK2"]\n')
    assert {each["rule"] for each in findings(".")} == {"PK201"}
    assert {each["rule"] for each in findings(".", "--select", "frameworks")} == {"PK102"}
    assert {each["rule"] for each in findings(".", "--select", "ALL", "--ignore", "PK201")} == {
        "PK102"
    }


def test_settings_leave_out_files_and_rules_for_files(folder):
    (folder / "other.py").write_text(IF)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_model.py").write_text(LAYER)
    (folder / "pyproject.toml").write_text(
        '[tool.portable.lint]\nexclude = ["other.py"]\nper-file-ignores = {"tests/*" = ["numpy-call"]}\n'
    )
    assert [each["path"] for each in findings(".")] == ["model.py"]


def test_named_files_that_settings_leave_out_are_no_error_for_a_hook(folder):
    (folder / "pyproject.toml").write_text('[tool.portable.lint]\nexclude = ["model.py"]\n')
    done = lint("model.py")
    assert (done.exit_code, done.stdout) == (0, "0 files, 0 findings\n")
    assert done.stderr == "all files (1) are left out by exclude in pyproject.toml\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[tool.portable.lint]\nselct = []\n", "unknown key 'selct'; expected exclude, ignore"),
        ('[tool.portable.lint]\nselect = "PK1"\n', "select must hold lists of strings"),
        ('[tool.portable.lint]\nignore = ["PK0815"]\n', "no rule is called 'PK0815'"),
        ("[tool.portable\n", "pyproject.toml cannot be read"),
        ("[tool.portable]\nlint = 3\n", "must be a table"),
    ],
)
def test_settings_that_cannot_be_used_are_exit_code_2(folder, settings, message):
    (folder / "pyproject.toml").write_text(settings)
    done = lint("model.py")
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_comment_with_a_reason_silences(folder):
    text = LAYER.replace("np.exp(x)", "np.exp(x)  # portable: ignore[PK102] runs eagerly here")
    (folder / "model.py").write_text(text)
    done = lint("model.py")
    assert (done.exit_code, done.stdout) == (0, "1 file, 0 findings, 1 silenced by comments\n")


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("# portable: ignore[PK102]", {"PK102", "PK001"}),
        ("# portable: ignore because", {"PK102", "PK001"}),
        ("# portable: ignore[PK101] it is eager", {"PK102", "PK002"}),
        ("# portable: ignore[PK101, PK102] it is eager", {"PK002"}),
    ],
)
def test_comments_without_reason_or_finding_are_found(folder, comment, rules):
    (folder / "model.py").write_text(LAYER.replace("np.exp(x)", f"np.exp(x)  {comment}"))
    assert {each["rule"] for each in findings("model.py")} == rules


def test_a_comment_above_a_statement_and_for_a_file(folder):
    above = LAYER.replace(
        "        return", "        # portable: ignore[PK102] eager\n        return"
    )
    (folder / "model.py").write_text(above)
    assert findings("model.py") == []
    (folder / "model.py").write_text("# portable: ignore-file[PK102] eager\n" + LAYER)
    assert findings("model.py") == []


def test_a_result_is_kept_until_the_file_or_what_was_read_for_it_changes(folder):
    (folder / "base.py").write_text("import keras\nBase = keras.layers.Layer\n")
    derived = LAYER.replace("keras.layers.Layer", "base.Base").replace(
        "import keras", "import base"
    )
    (folder / "model.py").write_text(derived)
    from backends_matrix.lint.run import run
    from backends_matrix.lint.settings import Settings

    def lint_again():
        result = run([folder], Settings(), cache=folder / ".cache")
        return result.cached, [each.rule for each in result.findings]

    assert lint_again() == (0, ["PK102"])
    assert lint_again() == (2, ["PK102"])
    (folder / "base.py").write_text("Base = object\n")
    assert lint_again() == (0, [])
    (folder / "model.py").write_text(derived + "\n")
    assert lint_again() == (1, [])
    (folder / "base.py").unlink()
    assert lint_again() == (0, [])


def test_a_broken_cache_is_not_believed(folder):
    assert len(findings("model.py")) == 1
    for entry in (folder / ".cache" / "lint").iterdir():
        entry.write_text("{broken")
    assert len(findings("model.py")) == 1
