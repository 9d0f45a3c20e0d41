"""``portable compare`` on folders that hold no sound run: exit code 2, and one line that says why."""

import copy
import json
import os

import pytest

from .two_runs import portable, write


def edited(change):
    def give(document):
        change(document)
        return json.dumps(document)

    return give


def nested(document):
    document["cells"][0]["deep"] = json.loads("[" * 200 + "]" * 200)


HOSTILE = {
    "empty": (lambda document: "", "the file is empty"),
    "cut off": (lambda document: json.dumps(document)[:-50], "cut off"),
    "a list": (lambda document: "[]", "should hold a JSON object; it holds list"),
    "another schema": (lambda document: '{"schema": 99}', "reads schema 1"),
    "NaN": (lambda document: '{"schema": NaN}', "which JSON does not have"),
    "infinity": (
        edited(lambda document: document["cells"][0]["history"].update(loss=["1e999"])),
        "should be number or null",
    ),
    "1e999": (
        lambda document: json.dumps(document).replace(
            '"seconds": ', '"seconds": 1e999, "was": ', 1
        ),
        "is inf, which JSON does not have",
    ),
    "a huge number": (
        edited(lambda document: document["cells"][0]["history"].update(loss=[10**400])),
        "beyond the range of float64",
    ),
    "no cells": (edited(lambda document: document.pop("cells")), "lacks the key 'cells'"),
    "a wrong type": (
        edited(lambda document: document["cells"][0].update(history=[])),
        "history should be object",
    ),
    "samples of no number": (
        edited(lambda document: document["cells"][0].update(samples={"train": "many"})),
        "samples.train should be integer",
    ),
    "nested": (edited(nested), "nested too deeply"),
    "nested beyond reading": (lambda document: "[" * 100_000, "nested too deeply"),
    "two of one cell": (
        edited(lambda document: document["cells"].append(document["cells"][0])),
        "holds two results of imdb/validated on jax",
    ),
    "a key that drives a terminal": (
        edited(lambda document: document["cells"][0]["final"].update({"\x1b[2J\nx": "y"})),
        "should be number or null",
    ),
    "a comparison": (
        edited(lambda document: document.update(runs=[])),
        "runs should have at least 2",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_folder_that_holds_no_sound_run_is_exit_2_with_one_line(tmp_path, small_document, kind):
    make, message = HOSTILE[kind]
    write(tmp_path / "sound", small_document)
    write(tmp_path / "hostile", make(copy.deepcopy(small_document)))
    for order in (("sound", "hostile"), ("hostile", "sound")):
        done = portable(tmp_path, *order)
        assert done.exit_code == 2, done.output
        (line,) = done.output.splitlines()
        assert line.startswith("portable: error: ")
        assert message in line
        assert line.isprintable()


def test_a_folder_without_a_run_is_exit_2(tmp_path, small_document):
    write(tmp_path / "sound", small_document)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name in ("empty", "file", "absent"):
        done = portable(tmp_path, "sound", name)
        assert done.exit_code == 2
        (line,) = done.output.splitlines()
        assert "there is no report.json in" in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path, small_document):
    write(tmp_path / "sound", small_document)
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "report.json")
    done = portable(tmp_path, "sound", "pipe")
    assert done.exit_code == 2
    assert "is not a file" in done.output


def test_bytes_that_are_no_text_are_exit_2(tmp_path, small_document):
    write(tmp_path / "sound", small_document)
    write(tmp_path / "other", "")
    (tmp_path / "other" / "report.json").write_bytes(b"\xff\xfe{}")
    done = portable(tmp_path, "sound", "other")
    assert (done.exit_code, "is not text in UTF-8" in done.output) == (2, True)


def test_a_run_is_not_compared_with_itself(tmp_path, small_document):
    write(tmp_path / "laptop", small_document)
    done = portable(tmp_path, "laptop", "laptop")
    assert done.exit_code == 2
    assert "are the same folder" in done.output


def test_folders_of_one_name_are_told_apart(tmp_path, small_document):
    for name in ("laptop", "server"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "out", small_document)
    done = portable(tmp_path, "laptop/out", "server/out")
    assert [run["name"] for run in done.found["runs"]] == ["laptop/out", "server/out"]


@pytest.mark.parametrize("number", [1e308, -1e308, 5e-324, 10**300])
def test_numbers_at_the_end_of_the_range_are_judged_and_drawn(tmp_path, small_document, number):
    write(tmp_path / "sound", small_document)
    odd = json.loads(json.dumps(small_document))
    for entry in odd["cells"]:
        if (entry["variant"], entry["backend"]) == ("final", "torch"):
            entry["history"]["val_loss"][1] = number
    write(tmp_path / "odd", odd)
    done = portable(tmp_path, "sound", "odd", "--out", "compared")
    assert done.exit_code == 1, done.output
    (found,) = [each for each in done.found["comparisons"] if each["verdict"] == "differs"]
    assert (found["quantity"], found["backend"], found["epoch"]) == ("val_loss", "torch", 2)
    assert (tmp_path / "compared" / "report.html").exists()
