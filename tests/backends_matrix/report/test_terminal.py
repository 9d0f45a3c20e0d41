import io
import re

import pytest
from rich.console import Console

from backends_matrix.report import show

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def printed(document, directory=None, *, width=80, colour=False, encoding="utf-8"):
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    system = "standard" if colour else None
    console = Console(file=buffer, width=width, force_terminal=colour, color_system=system)
    show(document, directory, console)
    buffer.flush()
    return buffer.buffer.getvalue().decode(encoding)


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("document", "AGREE: jax, tensorflow and torch agree"),
        ("differing_document", "DIFFER: torch differs from jax in imdb/final, loss, from epoch 3"),
        ("broken_document", "ERROR: Not everything could be run"),
    ],
)
def test_the_verdict_is_in_words(kind, line, request):
    assert any(
        each.startswith(line) for each in printed(request.getfixturevalue(kind)).splitlines()
    )


@pytest.mark.parametrize("kind", ["document", "differing_document", "broken_document"])
@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_width(kind, width, request):
    # Problems, notes and paths are single long lines, so that grep finds all of one.
    whole = re.compile(r"^  \S|^(Next|Written to|Note)")
    lines = printed(request.getfixturevalue(kind), width=width).splitlines()
    assert not [line for line in lines if len(line) > width and not whole.match(line)]


def test_what_the_time_went_into_is_said_where_it_was_recorded(document):
    assert "Time:" not in printed(document)
    document["seconds"] = {"training": 125.0, "judging": 0.25}
    assert "Time: training, in all workers 2 min 05 s; judging 0.25 s." in flat(printed(document))


def test_at_80_columns_no_column_is_cut(document):
    assert "…" not in printed(document)


def test_problems_come_before_the_tables_each_in_one_line(differing_document):
    lines = printed(differing_document).splitlines()
    problem = next(i for i, line in enumerate(lines) if "loss on torch differs from jax" in line)
    table = next(i for i, line in enumerate(lines) if line.startswith("variant"))
    assert problem < table
    assert (
        lines[problem].strip().startswith("imdb/final: loss on torch differs from jax at epoch 3")
    )
    assert lines[problem].endswith("up to 4.2e-3 in loss at epoch 4")


def test_many_problems_are_cut_short_and_counted(document):
    for entry in document["cells"]:
        if entry["replica"] == 0:
            entry |= {"status": "failed", "reason": f"{entry['variant']} {entry['backend']}"}
    text = printed(document)
    assert "30 problems" in text
    assert "and 10 more; all are in report.html" in text


def test_a_row_has_the_figures_of_each_backend(differing_document):
    lines = printed(differing_document).splitlines()
    row = next(line for line in lines if line.startswith("dropout"))
    assert row.split() == ["dropout", "val_loss", "0.46168", "0.46168", "0.49948", "differs"]


def test_a_cell_without_a_result_shows_its_status(broken_document):
    lines = printed(broken_document).splitlines()
    row = next(line for line in lines if line.startswith("validated"))
    assert row.split()[:5] == ["validated", "val_loss", "0.76428", "crashed", "unavailable"]
    assert row.rstrip().endswith("not compared")


def test_the_worst_difference_stands_beside_its_tolerance(document):
    assert re.search(r"val_accuracy +[\d. ]+ 3\.1e-7 ≤ 1\.9e-6", printed(document))


def test_a_wide_terminal_says_where_the_worst_difference_is(differing_document):
    assert "epoch 20, torch" in printed(differing_document, width=120)


def test_the_number_of_comparisons_is_always_told(document):
    assert "Comparisons made: 140 at level 0, 1,808 at level 2" in flat(printed(document))
    document["comparisons"] = []
    assert "Comparisons made: none." in printed(document)


def test_synthetic_data_is_named_so(document):
    text = printed(document)
    assert text.count("SYNTHETIC DATA: seeded synthetic reviews") == 2
    assert "sample data: Boston housing" in text
    assert text.count("on synthetic data") == 2


def test_claims_are_told_with_what_was_published_and_measured(document):
    text = flat(printed(document, width=200))
    assert "yes training loss falls at every epoch falls all the way 0.4850 to 0.0237" in text
    assert "no mean MAE of the four folds is within 0.4 of the published 2.3654 2.9214" in text
    assert "kfold ran 60 of 200 epochs" in text


def test_pipelines_have_a_table_where_there_are_several(document):
    assert "Pipelines" not in printed(document)
    for entry in [e for e in document["cells"] if e["variant"] == "final" and not e["replica"]]:
        document["cells"].append(entry | {"pipeline": "pandas", "status": "failed"})
    assert re.search(r"pandas +1 failed +1 failed +1 failed", printed(document))


def test_a_cell_that_ran_on_another_engine_is_noted(document):
    document["cells"][0]["reason"] = "engine keras instead of compiled: a callback"
    assert "Note: jax: engine keras instead of compiled: a callback (1 cell)" in printed(document)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("document", "run with --data full"),
        ("differing_document", "portable matrix imdb --variant final --backends jax,torch --steps"),
        ("broken_document", "run the same command with --resume"),
    ],
)
def test_the_last_lines_say_what_was_written_and_what_to_do(kind, advice, request, tmp_path):
    (tmp_path / "report.html").write_text("")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_text("")
    *_, files, following = printed(request.getfixturevalue(kind), tmp_path).splitlines()
    assert files == f"Written to {tmp_path}: report.html, figures/ (1 plot)"
    assert following.startswith("Next: ")
    assert advice in following


def test_a_difference_between_pipelines_of_one_backend_is_narrowed_to_the_pipeline(document):
    entry = document["comparisons"][0]
    entry |= {"backend": "jax", "pipeline": "pandas", "verdict": "differs"}
    document["verdict"] = "differ"
    assert "--backends jax --pipelines numpy,pandas" in printed(document)


def test_a_pipe_gets_no_escape_codes(document):
    assert "\x1b" not in printed(document)


def test_colour_adds_nothing_but_colour(document):
    coloured = printed(document, colour=True)
    assert "\x1b[1;32mAGREE" in coloured
    assert ANSI.sub("", coloured) == printed(document)


@pytest.mark.parametrize("kind", ["document", "differing_document", "broken_document"])
def test_a_pipe_without_unicode_gets_it_all_the_same(kind, request):
    document = request.getfixturevalue(kind)
    document["experiments"]["imdb"]["title"] = "Critiques détestées 损"
    text = printed(document, encoding="ascii")
    assert "Critiques d\\xe9test\\xe9es \\u635f" in text
    assert "<= 1.9e-6" in text


def test_text_of_the_document_is_neither_markup_nor_a_command_to_the_terminal(document):
    document["experiments"]["imdb"]["title"] = "[red]not red[/red] \x1b]0;owned\x07 [/nonsense]"
    text = printed(document, colour=True)
    assert "[red]not red[/red] \ufffd]0;owned\ufffd [/nonsense]" in text


def test_a_report_of_nothing_can_be_shown(document):
    for part in ("cells", "comparisons", "claims", "examples"):
        document[part] = []
    document |= {"experiments": {}, "verdict": "error"}
    assert "ERROR: Not everything could be run" in printed(document)
