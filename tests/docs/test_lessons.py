"""The lessons: two of them print what is kept, all are listed, and become notebooks and pages."""

import nbformat
import notebooks
import percent_cells
import pytest
import run_lessons
import site_pages
from run_lessons import Run

from .pages import ROOT

PAGE = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
QUICKEST = ("02_losses", "03_optimizers")


@pytest.mark.parametrize("lesson", QUICKEST)
def test_a_lesson_prints_what_is_kept(lesson, backends, tmp_path):
    run = run_lessons.run_lesson(lesson, backends[-1], tmp_path)
    assert run.error == ""
    assert run.text == (run_lessons.PRINTED / f"{lesson}.txt").read_text(encoding="utf-8")
    assert list((tmp_path / lesson / backends[-1]).glob("*.svg"))


def test_there_are_seven_lessons():
    assert len(run_lessons.LESSONS) == 7


@pytest.mark.parametrize("lesson", run_lessons.LESSONS)
def test_a_lesson_is_listed_and_what_it_prints_is_kept(lesson):
    assert f"| `{lesson}` |" in PAGE
    assert (run_lessons.PRINTED / f"{lesson}.txt").stat().st_size > 0


@pytest.mark.parametrize("lesson", run_lessons.LESSONS)
def test_a_lesson_becomes_a_notebook_with_its_cells(lesson):
    source = (run_lessons.FOLDER / f"{lesson}.py").read_text(encoding="utf-8")
    made = notebooks.notebook(source)
    nbformat.validate(made)
    kinds = [cell.kind for cell in percent_cells.read_cells(source)]
    assert [cell.cell_type for cell in made.cells] == ["code", *kinds]
    assert made == notebooks.notebook(source)


def test_a_lesson_of_the_site_holds_its_text_its_code_and_what_it_prints(tmp_path):
    pages = site_pages.write_lesson_pages(run_lessons.FOLDER, tmp_path)
    assert [page.stem for page in pages] == list(run_lessons.LESSONS)
    text = (tmp_path / "02_losses.md").read_text(encoding="utf-8")
    assert text.startswith("# 2. What a loss is\n")
    assert "```python\npredictions = " in text
    assert "prediction  crossentropy  squared error\n" in text
    assert "(../../images/lessons/02_losses/losses.svg)" in text


def test_what_differs_is_named_with_its_line():
    runs = {"jax": Run("a\nb\n", "", 1), "torch": Run("a\nc\n", "", 1)}
    assert run_lessons.differences(runs) == ["line 2: jax has 'b', torch has 'c'"]


def test_a_missing_line_and_a_failure_are_differences():
    runs = {"jax": Run("a\n", "", 1), "tensorflow": Run("", "exit 1", 1), "torch": Run("", "", 1)}
    assert run_lessons.differences(runs) == [
        "tensorflow: exit 1",
        "line 1: jax has 'a', torch has '(nothing)'",
    ]


def test_equal_texts_do_not_differ():
    assert run_lessons.differences({"jax": Run("a", "", 1), "torch": Run("a", "", 2)}) == []


def test_a_lesson_that_prints_nothing_is_a_failure(tmp_path, monkeypatch, backends):
    (tmp_path / "silent.py").write_text("pass")
    monkeypatch.setattr(run_lessons, "FOLDER", tmp_path)
    assert "printed nothing" in run_lessons.run_lesson("silent", backends[0], tmp_path).error


def test_an_unknown_lesson_is_a_wrong_call(capsys):
    with pytest.raises(SystemExit) as error:
        run_lessons.main(["08_none"])
    assert error.value.code == 2
    assert (
        "there is no lesson '08_none': expected one of 01_three_styles" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import keras\n# %%\n", "must begin with '# %%'"),
        ("# %% [markdown]\nx = 1\n", "begins with '#'; got 'x = 1'"),
    ],
)
def test_a_script_of_another_form_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        percent_cells.read_cells(source)
