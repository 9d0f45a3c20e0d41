"""``certificate.json``: what is written is read, and nothing else is believed."""

import json
import os
from dataclasses import replace

import pytest

from backends_matrix.certify.certificate import judge_sides, to_json
from backends_matrix.certify.certificate_file import (
    FILE_NAME,
    digest_certificate,
    read_certificate,
    write_certificate,
)
from backends_matrix.certify.pairs import SeedResult
from backends_matrix.errors import CallError, RunError

from .made_up import certificate


def test_a_certificate_is_read_as_it_was_written(tmp_path):
    made = certificate()
    path = write_certificate(made, tmp_path)
    assert path.name == FILE_NAME
    found = read_certificate(path)
    assert to_json(found) == to_json(made)
    assert found.plan.seeds == made.plan.seeds
    assert found.sides[1].results == made.sides[1].results
    assert to_json(read_certificate(tmp_path)) == to_json(made)


def test_what_could_not_be_compared_is_read_too(tmp_path):
    made = certificate()
    broken = dict(made.sides[1].results)
    broken[3] = SeedResult(digests={"data": "d"}, diverged=True)
    broken[4] = SeedResult(fault="crashed: it was killed")
    sides = [made.sides[0], replace(made.sides[1], results=broken)]
    again = replace(
        made, sides=sides, comparisons=judge_sides(sides, made.plan.seeds, made.margins, 0.05, 0.9)
    )
    found = read_certificate(write_certificate(again, tmp_path))
    assert found.sides[1].results == broken
    assert found.verdict == again.verdict


def test_a_digest_is_that_of_the_file(tmp_path):
    path = write_certificate(certificate(), tmp_path)
    first = digest_certificate(tmp_path)
    assert first == digest_certificate(path)
    write_certificate(certificate(seed=1), tmp_path)
    assert digest_certificate(path) != first


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        write_certificate(certificate(), tmp_path / "file" / "folder")


def test_a_link_is_replaced_and_not_followed(tmp_path):
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FILE_NAME).symlink_to(other)
    write_certificate(certificate(), tmp_path / "out")
    assert other.read_text() == "precious"


def put(value, path, new):
    """Change one place of a document; a path is keys by dots."""
    *parents, last = path.split(".")
    for key in parents:
        value = value[int(key) if isinstance(value, list) else key]
    if new is KeyError:
        del value[last]
    else:
        value[int(last) if isinstance(value, list) else last] = new


@pytest.mark.parametrize(
    ("path", "new", "message"),
    [
        ("kind", "report", "does not begin as a file that 'portable certify' writes"),
        ("schema", 2, "schema 2; this version reads schema 1"),
        ("schema", True, "schema True"),
        ("study", [], "study must be an object"),
        ("study.experiment", None, "study.experiment must be a text"),
        ("study.description", "x" * 5000, "at most 4,096 characters"),
        ("study.synthetic", "no", "study.synthetic must be true or false"),
        ("study.epochs", 0, "study.epochs must be a whole number from 1"),
        ("margins", {}, "margins must name 1 to 64 metrics"),
        ("margins.val_mae", 0.02, "must have a value and the kind"),
        ("margins.val_mae.kind", "percent", "must have a value and the kind"),
        ("margins.val_mae.value", 0, "must be above 0"),
        ("margins.val_mae.value", 1.5, "below 1 where it is relative"),
        ("margins.val_mae.value", True, "must be a number"),
        ("margins.val_mae.value", 10**400, "must be a finite number"),
        ("plan.alpha", 0.5, "plan.alpha must be between 0 and 0.5"),
        ("plan.power", "0.9", "plan.power must be a number"),
        ("plan.seeds", [], "seeds must be a list of 1 to 100,000"),
        ("plan.seeds", [0, 1, 1], "names a seed twice"),
        ("plan.seeds", [0, 1.5], "plan.seeds must be a whole number"),
        ("plan.seeds", [0, 99], "has no result for seed 99"),
        ("plan.wanted", -1, "plan.wanted must be a whole number"),
        ("digests", KeyError, "digests must be an object"),
        ("digests.3", "abc", "the digests of seed 3 must be texts"),
        ("digests.3", {"data": 1}, "the digests of seed 3 must be texts"),
        ("sides", [], "sides must be a list of 2 to 64"),
        ("sides.1.name", "jax", "two sides have one name"),
        ("sides.1", 7, "a side must be an object"),
        ("sides.1.backend", "theano", "the backend of a side must be one of"),
        ("sides.1.engine", ["keras"], "the engine of a side must be one of"),
        ("sides.1.device", {}, "the device of a side must be one of"),
        ("sides.1.samples", {"train": -1}, "the samples of a side must be a whole number"),
        ("sides.1.results", {"-1": {}}, "'-1' is no seed"),
        ("sides.1.results", {"٣": {}}, "is no seed"),
        ("sides.1.results", {"9" * 30: {}}, "is no seed"),
        ("sides.1.results.3", 2.5, "the result of seed 3 must be an object"),
        ("sides.1.results.3.values", {}, "seed 3 must have a value of each metric: val_mae"),
        ("sides.1.results.3.values", {"val_mae": "2"}, "seed 3 must be a number"),
        ("sides.1.results.3.values", {"val_mae": None}, "seed 3 must be a number"),
        ("sides.1.results.3.values", {"val_mae": 9.0}, "its verdicts are not what its own results"),
        ("sides.1.results.3.fault", 1, "the fault of a seed must be a text"),
        ("comparisons", [], "comparisons must be a list of 1 to"),
        ("comparisons.0.verdict", "not equivalent", "its verdicts are not what its own results"),
        ("verdict", "undecided", "its verdicts are not what its own results"),
        ("notes", [1], "notes must be a text"),
        ("against", None, "against must be a text"),
    ],
)
def test_a_changed_certificate_is_refused_in_one_line(tmp_path, path, new, message):
    document = to_json(certificate())
    put(document, path, new)
    file = tmp_path / FILE_NAME
    file.write_text(json.dumps(document))
    with pytest.raises(CallError) as caught:
        read_certificate(file)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON in UTF-8, or it is cut off"),
        (b"{", "is not JSON in UTF-8, or it is cut off"),
        (b"\xff\xfe", "is not JSON in UTF-8"),
        (b'{"kind": NaN}', "NaN, which JSON does not have"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 20 + b"]" * 20, "nested too deeply"),
        (b"7", "does not begin as a file"),
        (b"null", "does not begin as a file"),
    ],
)
def test_a_file_that_is_no_certificate_is_refused(tmp_path, content, message):
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(CallError, match=message):
        read_certificate(path)


def test_a_cut_off_certificate_is_refused_wherever_it_is_cut(tmp_path):
    whole = write_certificate(certificate(), tmp_path).read_bytes()
    path = tmp_path / "cut.json"
    for length in range(0, len(whole) - 2, len(whole) // 40):
        path.write_bytes(whole[:length])
        with pytest.raises(CallError, match="cut off"):
            read_certificate(path)


def test_a_file_that_is_not_there_a_pipe_and_a_huge_one_are_refused(tmp_path):
    with pytest.raises(CallError, match=r"there is no .*; name a certificate\.json"):
        read_certificate(tmp_path / "absent.json")
    with pytest.raises(CallError, match="there is no"):
        read_certificate(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CallError, match="is not a file"):
        read_certificate(tmp_path / "pipe")
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(CallError, match="bytes, and a certificate has at most"):
        read_certificate(huge)
