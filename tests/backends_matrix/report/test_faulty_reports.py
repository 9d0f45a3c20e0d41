"""A report.json of any shape is refused with one line or shown; it never raises or hangs."""

import copy
import io
import json
import re

import pytest
from rich.console import Console

from backends_matrix.report import ReportError, read, render_all, show
from backends_matrix.report.json_file import validate
from backends_matrix.report.records import LONGEST_TEXT

WRONG = [None, True, -1, 1.5, 10**30, "text", [], {}, [None], {"a": None}]


def paths_of(value, path=()):
    """The path to every value; of a list to its first item only, as all are alike."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*path, 0))


def changed(document, path, value):
    made = copy.deepcopy(document)
    inside = made
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return made


def fault_of(document):
    try:
        validate(document)
    except ReportError as error:
        return str(error)
    return ""


def printed(document, width=80):
    output = io.StringIO()
    show(document, None, Console(file=output, width=width, color_system=None))
    return output.getvalue()


@pytest.fixture
def tiny_document(small_document):
    """One cell, comparison, claim and problem of each kind."""
    for part in ("cells", "comparisons"):
        small_document[part] = small_document[part][:3]
    return small_document


def test_a_field_of_any_wrong_type_is_refused_with_one_line_or_shown(tiny_document):
    refused = shown = 0
    for path in list(paths_of(tiny_document))[1:]:
        for value in WRONG:
            document = changed(tiny_document, path, value)
            if fault := fault_of(document):
                assert "\n" not in fault
                refused += 1
            else:
                printed(document)
                shown += 1
    assert refused > 300
    assert shown > 100


@pytest.mark.parametrize(
    ("verdict", "change", "words"),
    [
        ("agree", {"verdict": "differs", "difference": 1.0, "tolerance": 0.5}, "says 'differs'"),
        ("differ", {}, "no comparison says 'differs'"),
        ("agree", {"difference": 2.0, "tolerance": 1.0}, "its difference is above its tolerance"),
        (
            "differ",
            {"verdict": "differs", "difference": 1.0, "tolerance": 2.0},
            "its difference is within its tolerance",
        ),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(tiny_document, verdict, change, words):
    tiny_document["verdict"] = verdict
    tiny_document["comparisons"] = [{**tiny_document["comparisons"][0], **change}]
    with pytest.raises(ReportError, match=f"contradicts itself: .*{words}"):
        validate(tiny_document)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("comparisons", [], "it holds no comparison"),
        ("interrupted", True, "the run was interrupted"),
        ("cells", "crashed", "is 'crashed'"),
    ],
)
def test_agreement_needs_comparisons_and_cells_that_ran(tiny_document, part, value, words):
    tiny_document["verdict"] = "agree"
    if part == "cells":
        tiny_document["cells"][0]["status"] = value
    else:
        tiny_document[part] = value
    with pytest.raises(ReportError, match=words):
        validate(tiny_document)


def test_an_epoch_beyond_every_history_is_no_work(tiny_document, tmp_path):
    tiny_document["comparisons"][0] |= {"level": 2, "epoch": 10**18}
    render_all(tiny_document, tmp_path)
    assert "1000000000000000000" in printed(tiny_document) + (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize("name", ["report.html", "junit.xml", "report.json", "figures"])
def test_a_planted_link_is_not_followed(tiny_document, tmp_path, name):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    (out / name).symlink_to(elsewhere if name == "figures" else elsewhere / "precious")
    if name == "figures":
        with pytest.raises(ReportError, match="symbolic link"):
            render_all(tiny_document, out)
    else:
        render_all(tiny_document, out)
    assert (elsewhere / "precious").read_text() == "kept"
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]


def test_a_planted_link_among_the_figures_is_replaced(tiny_document, tmp_path):
    (tmp_path / "precious").write_text("kept")
    made = [path for path in render_all(tiny_document, tmp_path / "a") if path.suffix == ".png"]
    (tmp_path / "b" / "figures").mkdir(parents=True)
    for path in made:
        (tmp_path / "b" / "figures" / path.name).symlink_to(tmp_path / "precious")
    render_all(tiny_document, tmp_path / "b")
    assert (tmp_path / "precious").read_text() == "kept"
    assert made


HOSTILE = "\x1b[2J\x1b]8;;http://evil\x07\u202e\u2067\u200f\ufeff[bold]</script><b>" + "y" * 10_000


def test_hostile_text_is_harmless_at_every_place(tiny_document, tmp_path):
    for path in list(paths_of(tiny_document))[1:]:
        inside = tiny_document
        for key in path[:-1]:
            inside = inside[key]
        if isinstance(inside[path[-1]], str):
            document = changed(tiny_document, path, HOSTILE)
            if fault_of(document):
                continue
            shown = printed(document)
            assert not {"\x1b", "\x07", "\u202e", "\u2067", "\u200f", "\ufeff"} & set(shown), path
            assert shown.count("y") < 20 * LONGEST_TEXT, path
    tiny_document["experiments"]["imdb"]["title"] = HOSTILE
    render_all(tiny_document, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<b>" not in page.split("</head>")[1]
    assert "\x1b" not in page


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
def test_a_report_is_shown_at_any_width(tiny_document, width):
    assert "AGREE" in printed(tiny_document, width).replace("\n", "")


def test_no_number_is_cut_at_40_columns(tiny_document):
    wide, narrow = printed(tiny_document, 200), printed(tiny_document, 40)
    numbers = set(re.findall(r"\d\.\d{5}\b", wide.split("Published findings")[0]))
    assert numbers
    assert numbers <= set(re.findall(r"\d\.\d{5}\b", narrow))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_report_that_is_cut_off_is_refused(tiny_document, tmp_path, share):
    text = json.dumps(tiny_document)
    (tmp_path / "report.json").write_text(text[: int(len(text) * share)])
    with pytest.raises(ReportError, match=r"report\.json is not JSON"):
        read(tmp_path)
