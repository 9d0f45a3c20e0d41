"""An artifact with a fault never stands: wrong numbers, one that does not run, a crash while writing."""

import os
import re
import sys
from pathlib import Path

import keras
import pytest
from keras import layers

from portable_models import files
from portable_models.export import ExportError, export

HUBS = {"jax": "jax", "tensorflow": "saved_model", "torch": "torch"}
TARGET = HUBS[os.environ["KERAS_BACKEND"]]
NAME = "model.pt2" if TARGET == "torch" else "model"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    path = tmp_path_factory.mktemp("source") / "model.keras"
    files.save(model, path)
    return path


@pytest.mark.parametrize(
    ("fault", "status", "code", "reason"),
    [
        ("weight", "different", 1, "checks failed; worst is .* of the scale, .* is allowed"),
        ("garbage", "different", 1, "was written, but does not run: "),
        ("crash", "failed", 3, "the child process ended with code 9"),
        ("raise", "failed", 3, "OSError: the disk is full"),
    ],
)
def test_planted_fault_is_found_and_nothing_is_left(
    source, tmp_path, monkeypatch, fault, status, code, reason
):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("PLANTED_FAULT", fault)
    monkeypatch.setenv("PLANTED_IN", TARGET)
    result = export(source, TARGET, tmp_path / NAME, imports=["sabotage"])
    assert (result.status, result.exit_code) == (status, code)
    assert re.search(reason, result.reason), result.reason
    assert result.path is None
    assert list(tmp_path.iterdir()) == []


def test_live_model_is_measured_in_its_own_process(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="out")], name="live")
    result = export(model, TARGET, tmp_path / NAME)
    assert (result.reason, result.status) == ("", "verified")
    assert result.reference["backend"] == os.environ["KERAS_BACKEND"]
    assert "keras" in sys.modules


def test_layer_of_a_script_cannot_be_exported(tmp_path):
    class Mine(layers.Dense):
        pass

    Mine.__module__ = "__main__"
    model = keras.Sequential([keras.Input((3,)), Mine(2)])
    with pytest.raises(
        ExportError, match=r"Mine is defined in the script that runs, .* move it to"
    ):
        export(model, TARGET, tmp_path / NAME)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"expected a \.keras file or a Keras model, got int"):
        export(3, TARGET, tmp_path / NAME)
