"""Which releases of Keras are supported: the table, the record, the page and the bound agree."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from backends_matrix.versions import VersionsError, library
from backends_matrix.versions.supported import (
    BACKENDS,
    Supported,
    Tried,
    find_bound,
    find_surprises,
    load_supported,
)
from backends_matrix.versions.supported_page import (
    CHECKS,
    keep_tried,
    read_tried,
    supported_page,
)
from portable_models._keras import release

ROOT = Path(__file__).parents[3]
ROWS = load_supported()
TRIED = read_tried()
EVERY_CHECK = {*(f"{check} {each}" for check in CHECKS for each in BACKENDS), "study", "export"}


def row(name="keras-3.13.2", **given):
    return Supported(**({"name": name, "python": "3.11", "keras": "keras==3.13.2"} | given))


def tried(name="keras-3.13.2", failing=(), **given):
    checks = {check: {"holds": check not in failing, "detail": check} for check in EVERY_CHECK}
    fixed = {"packages": {"keras": "3.13.2"}, "python": "3.11.7", "platform": "Linux"}
    return Tried(row=name, checks=checks, date="2026-11-27", **(fixed | given))


def test_the_committed_page_is_the_committed_record():
    page = (ROOT / "docs" / "supported.md").read_text(encoding="utf-8")
    assert page == supported_page(ROWS, TRIED)


def test_every_row_was_tried_with_every_check():
    assert set(TRIED) == set(ROWS)
    assert {name: set(each.checks) for name, each in TRIED.items()} == dict.fromkeys(
        ROWS, EVERY_CHECK
    )


@pytest.mark.parametrize("name", ROWS)
def test_every_finding_is_as_its_row_expects(name):
    assert find_surprises(ROWS[name], TRIED[name]) == []


def test_the_requirement_follows_from_the_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [required] = [each for each in project["dependencies"] if each.startswith("keras")]
    assert required == find_bound(ROWS.values(), TRIED)


def test_what_an_import_accepts_is_what_is_required():
    oldest, before = (".".join(map(str, each)) for each in (release.OLDEST, release.BEFORE))
    assert find_bound(ROWS.values(), TRIED) == f"keras>={oldest},<{before}"


def test_the_tested_release_is_a_row():
    tested = (ROOT / "constraints" / "tested.txt").read_text(encoding="utf-8")
    [pin] = re.findall(r"^keras==.+$", tested, re.MULTILINE)
    assert pin in {each.keras for each in ROWS.values() if each.varies_keras}


def test_the_recorded_digests_are_those_of_the_tests():
    path = ROOT / "tests" / "portable_models" / "random" / "test_distributions.py"
    [golden] = [
        ast.literal_eval(node.value)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GOLDEN"
    ]
    assert library.RECORDED.items() <= golden.items()


def test_a_bound_takes_only_rows_in_which_everything_held():
    rows = [
        row("keras-3.12.4", keras="keras==3.12.4"),
        row(),
        row("keras-nightly", keras="keras-nightly==3.16.0.dev2026102704"),
        row("jax-0.6.2", keras="keras==3.10.0", others=("jax==0.6.2",)),
    ]
    found = {each.name: tried(each.name) for each in rows}
    assert find_bound(rows, found) == "keras>=3.12.4,<3.17"
    found["keras-3.12.4"] = tried("keras-3.12.4", failing=["study"])
    found["keras-nightly"] = tried("keras-nightly", failing=["files torch"])
    assert find_bound(rows, found) == "keras>=3.13.2,<3.14"
    assert find_bound(rows, {}) == ""


def test_what_the_row_expects_is_no_surprise():
    assert find_surprises(row(), tried()) == []
    assert find_surprises(row(fails={"study": "stud"}), tried(failing=["study"])) == []


@pytest.mark.parametrize(
    ("expected", "found", "surprise"),
    [
        ({}, tried(failing=["study"]), "study fails: study"),
        ({"study": "other"}, tried(failing=["study"]), "study fails: study"),
        ({"study": "study"}, tried(), "study holds now: remove it from fails"),
        (
            {},
            tried(packages={"keras": "3.15.1"}),
            "ran with Keras 3.15.1, the row asks for keras==3.13.2",
        ),
    ],
)
def test_what_the_row_does_not_expect_is_a_surprise(expected, found, surprise):
    assert find_surprises(row(fails=expected), found) == [surprise]


def test_a_finding_takes_the_place_of_the_earlier_one_of_its_row(tmp_path):
    record, page = tmp_path / "supported.json", tmp_path / "supported.md"
    rows = {each.name: each for each in (row(), row("keras-3.14.1", keras="keras==3.14.1"))}
    keep_tried(tried(failing=["study"]), rows, record, page)
    keep_tried(tried("keras-3.14.1"), rows, record, page)
    merged = keep_tried(tried(), rows, record, page)
    assert merged == read_tried(record)
    assert merged["keras-3.13.2"].holds
    assert page.read_text(encoding="utf-8") == supported_page(rows, merged)


def test_the_page_says_what_fails_and_what_differs():
    rows = {"keras-3.13.2": row(differs=("It computes otherwise.",))}
    text = supported_page(rows, {"keras-3.13.2": tried(failing=["engine torch", "study"])})
    assert "| holds | fails on torch | holds | fails | holds |" in text
    assert "- `keras-3.13.2`: It computes otherwise." in text
    assert "- `keras-3.13.2`, study: fails: `study`" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 'a'\nkeras = 'keras==3.13.2'", "missing keys \\['python'\\]"),
        ("name = 'a'\npython = '3.11'\nkeras = 'keras>=3'", "'keras>=3' is no exact pin"),
        (
            "name = 'a'\npython = '3.11'\nkeras = 'keras==3.1'\nkind = 1",
            "unknown keys \\['kind'\\]",
        ),
    ],
)
def test_a_row_that_is_not_sound_is_named(tmp_path, text, message):
    path = tmp_path / "supported.toml"
    path.write_text(f"[[rows]]\n{text}\n", encoding="utf-8")
    with pytest.raises(VersionsError, match=f"row 'a': .*{message}"):
        load_supported(path)
