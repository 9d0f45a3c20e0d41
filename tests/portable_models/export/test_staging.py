"""An artifact is at its place whole, or what was there before is."""

import os
from pathlib import Path

import pytest

from portable_models.export.errors import ExportError
from portable_models.export.staging import cards, check_free, inventory, publish, staging


def stage(folder, name, text="new"):
    (folder / name).write_text(text)
    for card in cards(folder / name):
        card.write_text(text)
    return folder / name


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_published_artifact_and_cards_are_all_that_is_left(tmp_path):
    with staging(tmp_path / "model.onnx") as folder:
        publish(stage(folder, "model.onnx"), tmp_path / "model.onnx")
    assert names(tmp_path) == ["model.onnx", "model.onnx.card.json", "model.onnx.card.md"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error(tmp_path, error):
    def fail():
        with staging(tmp_path / "model.onnx") as folder:
            stage(folder, "model.onnx")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


@pytest.mark.parametrize("taken", ["model.onnx", "model.onnx.card.json", "model.onnx.card.md"])
def test_what_is_in_the_way_is_named(tmp_path, taken):
    (tmp_path / taken).write_text("old")
    with pytest.raises(ExportError, match=f"{taken} exists already; remove it or say --force"):
        check_free(tmp_path / "model.onnx", force=False)
    check_free(tmp_path / "model.onnx", force=True)


def test_dangling_link_is_in_the_way(tmp_path):
    (tmp_path / "model.onnx").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ExportError, match="exists already"):
        check_free(tmp_path / "model.onnx", force=False)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"the folder .*deep does not exist; make it first"):
        check_free(tmp_path / "deep" / "model.onnx", force=False)


def test_replaced_folder_is_gone_whole(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "stale").write_text("old")
    with staging(tmp_path / "model") as folder:
        (folder / "model").mkdir()
        (folder / "model" / "fresh").write_text("new")
        for card in cards(folder / "model"):
            card.write_text("new")
        publish(folder / "model", tmp_path / "model")
    assert names(tmp_path / "model") == ["fresh"]


@pytest.mark.parametrize("failing", ["model.onnx", "model.onnx.card.json", "model.onnx.card.md"])
def test_old_artifact_is_back_when_a_move_fails(tmp_path, monkeypatch, failing):
    stage(tmp_path, "model.onnx", "old")
    rename = Path.rename

    def refuse(self, place):
        if self.name == failing and self.parent.name.endswith(".partial"):
            raise OSError(28, "No space left on device")
        return rename(self, place)

    monkeypatch.setattr(Path, "rename", refuse)
    with (
        pytest.raises(ExportError, match=r"cannot put the artifact at .*: No space left on device"),
        staging(tmp_path / "model.onnx") as folder,
    ):
        publish(stage(folder, "model.onnx"), tmp_path / "model.onnx")
    assert len(names(tmp_path)) == 3
    assert {path.read_text() for path in tmp_path.iterdir()} == {"old"}


def test_inventory_names_every_file_with_size_and_digest(tmp_path):
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "a").write_bytes(b"abc")
    # SHA-256 of "abc", FIPS 180-4, appendix B.1.
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert inventory(tmp_path / "model") == {"model/deep/a": {"bytes": 3, "sha256": digest}}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_rights_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="cannot be written to"):
        check_free(tmp_path / "model.onnx", force=False)
