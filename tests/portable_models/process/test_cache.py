import os

import pytest

from portable_models import cache
from portable_models.cache import programs_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the cache, which is not there yet."""
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_programs_have_a_folder_that_only_their_owner_writes(folder):
    found = programs_folder()
    assert found.parent == folder
    assert found.stat().st_mode & 0o777 == 0o700
    assert programs_folder() == found


def test_another_processor_has_another_folder(folder, monkeypatch):
    mine = programs_folder()
    monkeypatch.setattr(cache.platform, "machine", lambda: "another")
    cache._processor.cache_clear()
    assert programs_folder() != mine
    cache._processor.cache_clear()


def test_nothing_is_kept_where_nothing_shall_be(monkeypatch):
    monkeypatch.setenv(cache.CACHE_VARIABLE, "")
    assert programs_folder() is None


def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file"))
    assert programs_folder() is None


def test_the_oldest_programs_go(folder, monkeypatch):
    monkeypatch.setattr(cache, "PROGRAMS_KEPT", 3)
    found = programs_folder()
    for age in range(5):
        (found / f"{age}").write_bytes(b"")
        os.utime(found / f"{age}", (1000 - age, 1000 - age))
    programs_folder()
    assert sorted(path.name for path in found.iterdir()) == ["0", "1", "2"]
