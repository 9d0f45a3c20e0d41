"""How targets are named, and what is said of names that stand for nothing."""

import pytest

from backends_matrix.check.target import find_targets
from backends_matrix.errors import CallError

BUILDER = "def build_model():\n    return None\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.py").write_text(BUILDER)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "two.py").write_text(BUILDER)
    (tmp_path / "other.py").write_text("x = 1\n")
    (tmp_path / "saved.keras").write_bytes(b"PK\x03\x04")
    return tmp_path


def test_a_folder_stands_for_every_builder_and_file_in_it(folder):
    names = [target.path.rpartition("/")[2] for target in find_targets([str(folder)])]
    assert names == ["two.py", "one.py", "saved.keras"]


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [("one.py", "file", ""), ("one.py:other", "file", "other"), ("saved.keras", "keras", "")],
)
def test_a_file_and_its_object(folder, name, kind, wanted):
    (target,) = find_targets([str(folder / name)])
    assert (target.kind, target.object) == (kind, wanted)


def test_a_module_and_its_object():
    (target,) = find_targets(["package.module:build"])
    assert (target.kind, target.module, target.object) == ("module", "package.module", "build")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.py", "no such file"),
        ("package.module", "is no target: expected FILE.py"),
        ("model.h5", "is no target: expected FILE.py"),
    ],
)
def test_a_name_that_stands_for_nothing(name, message):
    with pytest.raises(CallError, match=message):
        find_targets([name])


def test_a_folder_without_a_builder(tmp_path):
    with pytest.raises(CallError, match=r"no file with a build_model and no \.keras file"):
        find_targets([str(tmp_path)])
