"""What was parsed once is kept, and only what can be trusted is taken from there."""

import numpy as np
import pytest

from portable_models.data import parsed
from portable_models.data.parsed import Parsed, cache_folder, parsed_once


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file whose SHA-256 is known, and a cache of its own."""
    path = tmp_path / "words.npz"
    path.write_bytes(b"words")
    monkeypatch.setenv("PORTABLE_MODELS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(parsed, "KNOWN_ARCHIVES", Known())
    return path


class Known:
    """Every file is known."""

    def __contains__(self, sha256):
        return True

    def __getitem__(self, sha256):
        return "a known file"


class Parser:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return Parsed({"ids": np.arange(5, dtype=np.int32)}, "a known file")


def get(source, parser, form="1", valid=lambda arrays: "ids" in arrays):
    found = parsed_once(source, form, parser, valid)
    assert found.identity == "a known file"
    return found.arrays


def kept(tmp_path):
    return sorted((tmp_path / "cache").iterdir())


def test_it_is_parsed_once(source, tmp_path):
    parser = Parser()
    first, second = get(source, parser), get(source, parser)
    assert parser.calls == 1
    np.testing.assert_array_equal(first["ids"], second["ids"])
    assert [path.suffix for path in kept(tmp_path)] == [".npz"]


@pytest.mark.parametrize("change", ["file", "form"])
def test_another_file_or_form_is_parsed_anew(source, change):
    parser = Parser()
    get(source, parser)
    if change == "file":
        source.write_bytes(b"other words")
    get(source, parser, form="2" if change == "form" else "1")
    assert parser.calls == 2


@pytest.mark.parametrize("harm", [b"", b"PK nothing", None])
def test_what_is_damaged_is_made_anew(source, tmp_path, harm):
    parser = Parser()
    get(source, parser)
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if harm is None else harm)
    np.testing.assert_array_equal(get(source, parser)["ids"], np.arange(5))
    assert parser.calls == 2
    get(source, parser)
    assert parser.calls == 2


def test_pickles_in_the_cache_are_not_read(source, tmp_path):
    parser = Parser()
    get(source, parser)
    (path,) = kept(tmp_path)
    np.savez(path, ids=np.array([{"a": 1}], dtype=object))
    get(source, parser)
    assert parser.calls == 2


def test_what_is_not_valid_is_made_anew(source):
    parser = Parser()
    get(source, parser)
    get(source, parser, valid=lambda arrays: False)
    assert parser.calls == 2


def test_a_file_that_nobody_knows_is_not_kept(source, tmp_path, monkeypatch):
    monkeypatch.setattr(parsed, "KNOWN_ARCHIVES", {})
    parser = Parser()
    get(source, parser)
    get(source, parser)
    assert parser.calls == 2
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PORTABLE_MODELS_CACHE", str(tmp_path / "file" / "cache"))
    parser = Parser()
    assert len(get(source, parser)["ids"]) == 5


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTABLE_MODELS_CACHE", "")
    assert cache_folder() is None
    monkeypatch.delenv("PORTABLE_MODELS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "portable_models"
