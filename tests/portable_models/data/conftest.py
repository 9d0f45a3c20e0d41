"""Small archives in the format of imdb.npz, and a world without network, cache or settings."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Nothing set, an empty Keras cache, and a Keras whose download fails."""
    home = tmp_path / "keras-home"
    (home / "datasets").mkdir(parents=True)
    monkeypatch.delenv("PORTABLE_MODELS_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(home))

    def get_file(*_, **__):
        raise Exception("URL fetch failure on https://...: None -- no route\nto host")

    keras = SimpleNamespace(utils=SimpleNamespace(get_file=get_file))
    monkeypatch.setitem(sys.modules, "keras", keras)
    return SimpleNamespace(cache=home / "datasets", home=home, keras=keras, root=tmp_path)


def ragged(*rows):
    array = np.empty(len(rows), object)
    array[:] = [list(row) for row in rows]
    return array


@pytest.fixture
def reviews():
    """Arrays of an imdb.npz with lists, which are pickled when saved."""
    return {
        "x_train": ragged([1, 5, 2, 5], [3], [7, 9000, 12_000], [], [8, 8, 1]),
        "y_train": np.array([1, 0, 1, 0, 1]),
        "x_test": ragged([2, 3], [9996, 9997, 1], [4]),
        "y_test": np.array([0, 1, 1]),
    }


@pytest.fixture
def plain_reviews():
    """Arrays of an imdb.npz in which nothing is pickled: all reviews are of one length."""
    return {
        "x_train": np.arange(1, 13).reshape(4, 3),
        "y_train": np.array([0, 1, 1, 0]),
        "x_test": np.arange(1, 7).reshape(2, 3),
        "y_test": np.array([1, 0]),
    }


@pytest.fixture
def save(tmp_path):
    def save(arrays, name="imdb.npz"):
        path = tmp_path / name
        np.savez_compressed(path, **arrays)
        return path

    return save
