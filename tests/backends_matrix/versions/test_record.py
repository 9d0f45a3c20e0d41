"""What was verified is kept, and the page of the documentation shows it."""

import json
from pathlib import Path

import pytest

from backends_matrix.versions import Finding, load, read_verified
from backends_matrix.versions.record import page, write_verified
from backends_matrix.versions.rows import Outcome

ROOT = Path(__file__).parents[3]
TABLE = load()


def finding(row, outcome=Outcome.WORKS, **given):
    fixed = {"as_expected": True, "python": "3.11.7", "platform": "Linux", "date": "2026-11-23"}
    return Finding(row=row, outcome=outcome, **(fixed | given))


def test_findings_come_back_as_they_were_written(tmp_path):
    works = finding("a", difference=3e-8, packages={"jax": "0.10.2"})
    broken = finding("b", outcome=None, as_expected=False, detail="no network")
    write_verified([works, broken], tmp_path / "verified.json")
    assert read_verified(tmp_path / "verified.json") == {"a": works, "b": broken}


def test_a_new_finding_takes_the_place_of_the_earlier_one_only(tmp_path):
    path = tmp_path / "verified.json"
    write_verified([finding("a"), finding("b")], path)
    merged = write_verified([finding("b", Outcome.FAILS)], path)
    assert [merged[name].outcome for name in ("a", "b")] == [Outcome.WORKS, Outcome.FAILS]
    assert read_verified(path) == merged
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_was_verified_where_there_is_no_file(tmp_path):
    assert read_verified(tmp_path / "verified.json") == {}


def test_a_file_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "verified.json"
    path.write_text(json.dumps({"schema": 2, "findings": {}}), encoding="utf-8")
    with pytest.raises(
        ValueError, match="has the schema 2, expected 1: remove it and verify again"
    ):
        read_verified(path)


def test_the_page_sets_what_was_found_beside_what_is_published():
    name = "jax-0.4.20-as-published"
    text = page(TABLE, {name: finding(name, Outcome.FAILS, detail="no numpy.trapz")})
    [line] = [
        each
        for each in text.splitlines()
        if each.startswith(f"| jax 0.4.20 & keras ~=3.0 | `{name}`")
    ]
    assert line.endswith("| fails: no numpy.trapz |")


def test_the_page_says_what_was_not_as_expected_or_could_not_be_run():
    names = list(TABLE.rows)[:2]
    off = finding(names[0], Outcome.FAILS, as_expected=False)
    lost = finding(names[1], None, as_expected=False, detail="no network")
    text = page(TABLE, {names[0]: off, names[1]: lost})
    assert "fails (**not as expected**)" in text
    assert "could not be run (**not as expected**): no network" in text


def test_a_row_that_was_never_tried_is_shown_as_such():
    assert page(TABLE, {}).count("not verified yet") >= len(TABLE.rows)


def test_every_row_is_on_the_page():
    text = page(TABLE, {})
    assert all(f"| `{name}` | `{row.packages[0]}`" in text for name, row in TABLE.rows.items())


def test_the_committed_page_is_the_committed_findings():
    committed = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    assert committed == page(TABLE, read_verified())


def test_every_committed_finding_has_a_row_and_is_as_expected():
    findings = read_verified()
    assert findings
    assert set(findings) <= set(TABLE.rows)
    assert [name for name, found in findings.items() if not found.as_expected] == []
