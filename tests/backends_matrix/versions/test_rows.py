"""The versions table is sound, and a row that is not is refused with a clear message."""

import pytest

from backends_matrix.versions.rows import Api, Outcome, Tag, VersionsError, load

SOUND = {
    "name": '"jax-1"',
    "python": '"3.11"',
    "packages": '["jax==0.10.2", "keras==3.15.1"]',
    "backend": '"jax"',
    "expected": '"works"',
}
TABLE = load()


def write(path, **changes):
    given = SOUND | changes
    lines = [f"{key} = {value}" for key, value in given.items() if value is not None]
    path.write_text("[[rows]]\n" + "\n".join(lines), encoding="utf-8")
    return path


def test_a_sound_row_is_read(tmp_path):
    tags = '["cheap", "newest"]'
    table = load(write(tmp_path / "v.toml", tags=tags, api='"tf.keras"', env='{ A = "1" }'))
    row = table.rows["jax-1"]
    assert row.packages == ("jax==0.10.2", "keras==3.15.1")
    assert row.tags == {Tag.CHEAP, Tag.NEWEST}
    assert (row.api, row.expected) == (Api.TF_KERAS, Outcome.WORKS)
    assert row.environment()["A"] == "1"
    assert row.environment()["KERAS_BACKEND"] == "jax"


def test_what_a_failing_row_fails_with_is_read(tmp_path):
    row = load(write(tmp_path / "v.toml", expected='"fails: spmd_mode: gone"')).rows["jax-1"]
    assert (row.expected, row.reason) == (Outcome.FAILS, "spmd_mode: gone")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backend": None}, "row 'jax-1' has no backend: give it one"),
        ({"packages": "[]"}, "row 'jax-1' has no packages: give it one"),
        ({"colour": '"red"'}, "row 'jax-1' has the unknown key 'colour': known are"),
        ({"packages": '["jax>=0.10"]'}, "packages is 'jax>=0.10', expected an exact pin"),
        ({"without_dependencies": '["tf_keras"]'}, "packages is 'tf_keras', expected an exact pin"),
        ({"expected": '"maybe"'}, "expected is 'maybe', expected works or inference only or fails"),
        ({"expected": '"fails"'}, "a row that fails says why"),
        ({"expected": '"works: always"'}, "a row that fails says why .*, no other does"),
        ({"api": '"keras"'}, "api is 'keras', expected keras3 or tf.keras or tf_keras"),
        ({"tags": '["big"]'}, "tags is 'big', expected cheap or published or newest or all"),
        ({"tags": '["all"]'}, "every row has it, leave it out"),
        ({"extent": '"jax 9"'}, "extent is 'jax 9', expected one of"),
        ({"as_published": "true"}, "is as published, but has no claim: quote it"),
        ({"tolerance": "0.1"}, "a tolerance of its own needs a reason"),
    ],
)
def test_an_unsound_row_is_refused(tmp_path, changes, message):
    with pytest.raises(VersionsError, match=message):
        load(write(tmp_path / "v.toml", **changes))


def test_two_rows_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "v.toml")
    path.write_text(path.read_text() * 1 + "\n" + path.read_text(), encoding="utf-8")
    with pytest.raises(VersionsError, match="row 'jax-1' is there twice"):
        load(path)


def test_a_table_without_rows_is_refused(tmp_path):
    (tmp_path / "v.toml").write_text("", encoding="utf-8")
    with pytest.raises(VersionsError, match="holds no rows"):
        load(tmp_path / "v.toml")


def test_rows_are_selected_by_name_in_the_tables_order():
    names = list(TABLE.rows)[3:5]
    assert [row.name for row in TABLE.select(reversed(names))] == names


def test_rows_are_selected_by_tag():
    published = TABLE.select(tag=Tag.PUBLISHED)
    assert published
    assert all(Tag.PUBLISHED in row.tags for row in published)
    assert TABLE.select(tag=Tag.ALL) == list(TABLE.rows.values())


def test_an_unknown_row_is_refused():
    with pytest.raises(VersionsError, match="no row is called 'jax-9': expected one of jax-0"):
        TABLE.select(["jax-9"])


@pytest.mark.parametrize("name", TABLE.extents)
def test_an_extent_says_what_its_rows_expect(name):
    extent = TABLE.extents[name]
    expectations = {
        (package.partition("==")[2], row.expected)
        for row in TABLE.rows.values()
        for package in row.packages
        if row.extent == name and package.startswith("keras==")
    }
    assert {version for version, found in expectations if found is Outcome.WORKS} == set(
        extent.works
    )
    assert {version for version, found in expectations if found is Outcome.FAILS} == set(
        extent.fails
    )


@pytest.mark.parametrize(
    "claim",
    [
        "jax 0.4.20 & keras ~=3.0",
        "tensorflow ~=2.16.1 & keras ~=3.0",
        "torch ~=2.1.0 & keras ~=3.0",
        "tensorflow ~=2.13.0 & keras ~=2.13.0",
        "tensorflow ~=2.14.0 & keras ~=2.14.0",
        "tensorflow ~=2.15.0 & keras ~=2.15.0",
    ],
)
def test_every_published_combination_has_a_row(claim):
    rows = [row for row in TABLE.rows.values() if row.claim == claim]
    assert rows
    assert all(Tag.PUBLISHED in row.tags for row in rows)
