import json
import os
import sys

import pytest

from backends_matrix.report import ReportError, read, validate, write
from backends_matrix.report.json_file import write_whole


def test_what_is_written_is_read_back(document, tmp_path):
    path = write(document, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.json"
    assert read(path.parent) == document


def test_writing_leaves_no_other_file(document, tmp_path):
    write(document, tmp_path)
    write(document, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_lone_surrogate_survives(small_document, tmp_path):
    small_document["cells"][0]["reason"] = "bad name \udcff"
    write(small_document, tmp_path)
    assert read(tmp_path)["cells"][0]["reason"] == "bad name \udcff"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_never_written(document, tmp_path, number):
    document["cells"][0]["final"] = {"test_loss": number}
    with pytest.raises(
        ReportError, match=rf"final\.test_loss is {number}, which JSON does not have"
    ):
        write(document, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_document_leaves_the_old_file(document, tmp_path):
    write(document, tmp_path)
    with pytest.raises(ReportError, match="verdict should be 'agree' or"):
        write(document | {"verdict": "fine"}, tmp_path)
    assert read(tmp_path) == document


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not replace an open file")
def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path):
    path = write_whole(tmp_path / "report.json", b"old and long")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old and long"
    assert path.read_bytes() == b"new"


def test_a_write_that_fails_half_way_leaves_the_old_file(document, tmp_path, monkeypatch):
    write(document, tmp_path)

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(
        ReportError, match=r"report\.json cannot be written: No space left on device"
    ):
        write(document, tmp_path)
    assert read(tmp_path) == document
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_file_in_the_way_of_the_folder_is_named(document, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"file.report\.json cannot be written: "):
        write(document, tmp_path / "file")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_a_report_may_be_read_by_others(tmp_path):
    old = os.umask(0o022)
    try:
        path = write_whole(tmp_path / "report.json", b"{}")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_folder_without_a_report_is_named(tmp_path):
    with pytest.raises(
        ReportError, match=r"no report\.json in .*; name a folder that 'portable matrix"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON: the file is empty"),
        (b'{"schema": 1, "cells": [', r"is not JSON, or the file is cut off \(.* line 1 column"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"[]", "should hold a JSON object; it holds list"),
        (b'{"schema": NaN}', "it holds NaN, which JSON does not have"),
        (b"[" * 200_000, "not a report: it is nested too deeply"),
        (b"{}", "has schema None; this version reads schema 1"),
        (b'{"schema": 2}', "has schema 2; this version reads schema 1: render it with the version"),
        (b'{"schema": true}', "has schema True; this version reads schema 1"),
        (b'{"schema": 1}', "is not valid: the document lacks the key 'verdict'; .*; and more$"),
    ],
    ids=lambda part: part[:20] if isinstance(part, bytes) else "",
)
def test_a_broken_file_is_one_clear_line(tmp_path, content, message):
    (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(ReportError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "report.json") in str(caught.value)


def test_a_report_cut_off_anywhere_is_refused(small_document, tmp_path):
    content = write(small_document, tmp_path).read_bytes()
    for end in range(1, len(content) - 3, len(content) // 40):
        (tmp_path / "report.json").write_bytes(content[:end])
        with pytest.raises(ReportError, match="is not JSON"):
            read(tmp_path)


def test_infinity_that_comes_of_a_large_number_is_refused(small_document, tmp_path):
    small_document["cells"][0]["seconds"] = 12345.678
    text = json.dumps(small_document).replace("12345.678", "1e999")
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError, match=r"cells\[0\]\.seconds is inf"):
        read(tmp_path)


def test_agreement_with_a_difference_is_a_contradiction(differing_document):
    differing_document["verdict"] = "agree"
    with pytest.raises(
        ReportError, match=r"its verdict is 'agree' and comparisons\[\d+\] says 'differs'"
    ):
        validate(differing_document)
