"""Where files are looked for, in which order, and what is said when there is none."""

import os
import sys

import pytest

from portable_models.data import DataError, load, load_boston, load_imdb
from portable_models.data.sources import FILES, WORD_INDEX, find


@pytest.fixture
def home(tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


def put(folder, name="imdb"):
    folder.mkdir(exist_ok=True)
    path = folder / FILES[name].file
    path.write_bytes(b"here")
    return path


def test_full_prefers_the_folder_of_the_variable(places, monkeypatch):
    own = put(places.root / "own")
    put(places.cache)
    monkeypatch.setenv("PORTABLE_MODELS_DATA", str(own.parent))
    assert find("imdb", "full") == own


def test_full_looks_in_the_cache_when_the_folder_lacks_the_file(places, monkeypatch):
    (places.root / "own").mkdir()
    cached = put(places.cache)
    monkeypatch.setenv("PORTABLE_MODELS_DATA", str(places.root / "own"))
    assert find("imdb", "full") == cached


def test_the_cache_is_in_the_home_folder_when_keras_home_is_not_set(places, home, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    (home / ".keras").mkdir()
    cached = put(home / ".keras" / "datasets")
    assert find("imdb", "full") == cached


def test_full_downloads_at_last_through_keras_with_its_hash(places):
    asked = {}

    def get_file(name, origin, file_hash, cache_subdir):
        print("Downloading data")
        asked.update(name=name, origin=origin, file_hash=file_hash)
        target = places.home / cache_subdir / name
        target.parent.mkdir()
        target.write_bytes(b"downloaded")
        return str(target)

    places.keras.utils.get_file = get_file
    path = find("imdb", "full")
    assert path == places.cache / "imdb.npz"
    assert path.read_bytes() == b"downloaded"
    assert asked == {
        "name": "imdb.npz",
        "origin": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
        "file_hash": FILES["imdb"].checksum,
    }
    assert os.listdir(places.cache) == ["imdb.npz"]  # noqa: PTH208


def test_a_download_says_nothing_on_standard_output(places, capsys):
    def get_file(*_, **__):
        print("Downloading data")
        raise Exception("no network")

    places.keras.utils.get_file = get_file
    with pytest.raises(DataError):
        find("imdb", "full")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Downloading data" in captured.err


@pytest.mark.parametrize("variable", [None, "own"])
def test_a_failed_search_names_every_place_and_what_to_do(places, monkeypatch, variable):
    if variable:
        (places.root / variable).mkdir()
        monkeypatch.setenv("PORTABLE_MODELS_DATA", str(places.root / variable))
    with pytest.raises(DataError) as failure:
        load("imdb", "full")
    message = str(failure.value)
    assert message.startswith("imdb.npz was not found: looked in PORTABLE_MODELS_DATA (")
    assert (str(places.root / variable) if variable else "(not set)") in message
    assert f"in {places.cache}" in message
    assert "the download from https://storage.googleapis.com/" in message
    assert "no route to host" in message
    assert "--data sample" in message
    assert "\n" not in message


def test_a_search_without_keras_is_a_data_error(places, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(DataError, match=r"imdb.npz was not found: .* download from .* failed"):
        find("imdb", "full")


def test_a_failed_download_leaves_nothing_behind(places):
    def get_file(name, _, *, cache_subdir, **__):
        target = places.home / cache_subdir / name
        target.parent.mkdir()
        target.write_bytes(b"half")
        raise Exception("no network")

    places.keras.utils.get_file = get_file
    with pytest.raises(DataError):
        find("imdb", "full")
    assert not list(places.cache.iterdir())


def test_a_variable_that_names_no_folder_is_refused(places, monkeypatch):
    monkeypatch.setenv("PORTABLE_MODELS_DATA", str(places.root / "nowhere"))
    put(places.cache)
    with pytest.raises(
        DataError, match=r"PORTABLE_MODELS_DATA must name a folder; it names .*nowhere"
    ):
        find("imdb", "full")


@pytest.mark.parametrize("given", ["file", "folder"])
def test_a_path_may_be_the_file_or_its_folder(places, given):
    path = put(places.root / "own", "boston")
    assert find("boston", path if given == "file" else str(path.parent)) == path


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda _: load("imbd"), "there is no data set 'imbd'; expected one of boston, imdb"),
        (
            lambda root: load("imdb", str(root / "x.npz")),
            "imdb: there is no file or folder .*x.npz",
        ),
        (lambda root: load_boston(root), "the folder .* holds no boston_housing.npz"),
        (
            lambda root: load_imdb(root),
            "the folder .* holds no imdb.npz, which the imdb data set needs",
        ),
    ],
)
def test_a_source_that_is_not_there_is_a_clear_error(places, call, message):
    with pytest.raises(DataError, match=message) as failure:
        call(places.root)
    assert "\n" not in str(failure.value)
    assert isinstance(failure.value, ValueError)


def test_a_device_is_not_taken_for_a_file(places):
    with pytest.raises(DataError, match="there is no file or folder"):
        find("imdb", os.devnull)


def test_the_word_index_is_downloaded_beside_a_cached_archive(places, save, reviews):
    save(reviews).replace(places.cache / "imdb.npz")
    asked = []

    def get_file(name, origin, file_hash, cache_subdir):
        asked.append((name, file_hash))
        target = places.home / cache_subdir / name
        target.parent.mkdir()
        target.write_text('{"the": 1}')
        return str(target)

    places.keras.utils.get_file = get_file
    assert load_imdb("full", trust=True).word_index == {"the": 1}
    assert asked == [(WORD_INDEX.file, WORD_INDEX.checksum)]


def test_a_tilde_is_the_home_folder(home):
    path = put(home / "own")
    assert find("imdb", "~/own") == path
