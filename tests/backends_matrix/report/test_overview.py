import pytest

from backends_matrix.report.headline import headline
from backends_matrix.report.overview import (
    backends,
    claim_rows,
    data_text,
    example_rows,
    extent,
    lead_cell,
    measured_lines,
    place,
    rows,
    shown_quantities,
    state,
    variants,
)
from backends_matrix.report.records import Cell, Data, Verdict, parse, showable
from backends_matrix.report.tally import Tally, made_text, summed


def cell_with(final=(), history=()):
    return Cell(
        *("imdb", "final", "jax", "numpy", "cpu", "keras", 0, "ok", "", 1.0, 1),
        history={name: [1.0] for name in history},
        final=dict.fromkeys(final, 1.0),
    )


def state_of(document, variant, backend, pipeline="numpy"):
    report = parse(document)
    found = [
        c
        for c in report.cells
        if (c.variant, c.backend, c.pipeline) == (variant, backend, pipeline)
    ]
    judged = [e for e in report.comparisons if place(e)[1:] == (variant, backend, pipeline)]
    return state(found[0] if found else None, report, judged)


@pytest.mark.parametrize(
    ("final", "history", "shown"),
    [
        (["test_loss", "test_accuracy", "test_mean"], ["val_loss"], ["test_loss", "test_accuracy"]),
        (["fold_1_mae", "mean_mae"], ["loss", "val_loss", "val_mae"], ["val_loss", "mean_mae"]),
        ([], ["loss", "accuracy", "val_loss", "val_accuracy"], ["val_loss", "val_accuracy"]),
        ([], ["loss", "mae"], ["loss", "mae"]),
        ([], ["loss"], ["loss"]),
        (["fold_1_mae"], [], ["fold_1_mae"]),
        ([], [], []),
    ],
)
def test_a_loss_and_a_metric_stand_for_a_variant(final, history, shown):
    assert shown_quantities([cell_with(final, history)]) == shown


def test_a_backend_is_known_from_the_environment_or_from_its_cells(document):
    del document["environment"]["backends"]["torch"]
    assert backends(parse(document)) == ["jax", "tensorflow", "torch"]


def test_a_cell_with_results_leads_before_one_without(document):
    first = next(
        c for c in document["cells"] if c["variant"] == "final" and c["backend"] == "torch"
    )
    document["cells"].append(first | {"pipeline": "pandas"})
    first["status"] = "failed"
    assert lead_cell(parse(document), "imdb", "final", "torch").pipeline == "pandas"


def test_replicas_are_counted_and_not_listed(document):
    report = parse(document)
    assert "30 cells, 20 replicas for the noise floor" in extent(report)
    assert sum(len(rows(report, name)) for name in report.experiments) == 10


def test_a_row_has_the_worst_of_all_its_comparisons(differing_document):
    (_, final) = rows(parse(differing_document), "imdb")
    assert final.agreement.verdict is Verdict.DIFFERS
    assert (final.agreement.worst.backend, final.agreement.worst.epoch) == ("torch", 4)
    assert (final.agreement.first.backend, final.agreement.first.epoch) == ("torch", 3)


@pytest.mark.parametrize(
    ("variant", "backend", "kind", "text"),
    [
        ("final", "jax", "reference", "reference"),
        ("final", "tensorflow", "agrees", "agrees"),
        ("final", "torch", "differs", "differs"),
        ("kfold", "torch", "undecidable", "agrees to epoch 48"),
        ("no such", "torch", "absent", "not run"),
    ],
)
def test_a_place_in_the_matrix_says_what_came_of_it(
    differing_document, variant, backend, kind, text
):
    found = state_of(differing_document, variant, backend)
    assert (found.kind, found.text) == (kind, text)


def test_a_cell_without_a_result_shows_its_status(broken_document):
    assert state_of(broken_document, "validated", "tensorflow").text == "crashed"


def test_a_cell_that_was_compared_with_nothing_does_not_look_as_if_it_agreed(broken_document):
    del broken_document["reference"]
    found = state_of(broken_document, "validated", "jax")
    assert (found.kind, found.text) == ("ran", "not compared")


def test_the_reference_looks_the_same_where_the_others_have_no_result(broken_document):
    broken_document["reference"] = "jax"
    found = state_of(broken_document, "validated", "jax")
    assert (found.kind, found.text) == ("reference", "reference")


def comparisons_of(document, variant):
    return [entry for entry in parse(document).comparisons if entry.variant == variant]


def test_agreement_says_to_which_epoch_it_reaches(document):
    assert summed(comparisons_of(document, "kfold")).text == "agrees to epoch 48"


def test_agreement_with_gaps_does_not_claim_an_epoch(document):
    late = [e for e in document["comparisons"] if e["variant"] == "kfold" and e["epoch"] == 60]
    late[0]["verdict"] = "agrees"
    assert summed(comparisons_of(document, "kfold")).text == "agrees where decidable"


def test_nothing_compared_is_no_agreement():
    assert (Tally().verdict, Tally().text) == (None, "not compared")


def test_only_undecidable_comparisons_are_undecidable(document):
    late = [entry for entry in comparisons_of(document, "kfold") if (entry.epoch or 0) > 50]
    undecidable = [entry for entry in late if entry.verdict is Verdict.UNDECIDABLE]
    assert summed(undecidable).text == "undecidable"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "document",
            "Comparisons made: 140 at level 0, 1,808 at level 2; undecidable 96 from epoch 49",
        ),
        (
            "differing_document",
            "Comparisons made: 140 at level 0, 1,808 at level 2; 40 differ; "
            "undecidable 96 from epoch 49",
        ),
        ("broken_document", "Comparisons made: 56 at level 0, 579 at level 2"),
    ],
)
def test_the_number_of_comparisons_is_told(kind, text, request):
    assert made_text(parse(request.getfixturevalue(kind)).comparisons) == text


def test_no_comparison_is_told_too():
    assert made_text([]) == "Comparisons made: none"


@pytest.mark.parametrize(
    ("verdict", "keep", "text"),
    [
        ("agree", ("jax", "tensorflow", "torch"), "jax, tensorflow and torch agree"),
        ("agree", ("jax", "torch"), "jax and torch agree"),
        ("undecidable", ("jax", "torch"), "Nothing could be decided"),
        ("error", ("jax",), "Not everything could be run"),
        ("ran", ("jax", "torch"), "jax and torch ran; nothing was compared"),
    ],
)
def test_the_headline_is_the_verdict_in_words(document, verdict, keep, text):
    document["verdict"] = verdict
    document["cells"] = [entry for entry in document["cells"] if entry["backend"] in keep]
    assert headline(parse(document)) == text


def test_the_headline_of_a_run_of_one_backend_is_what_ran(document):
    document["verdict"] = "ran"
    document["comparisons"] = []
    document["cells"] = [entry for entry in document["cells"] if entry["backend"] == "jax"]
    report = parse(document)
    assert headline(report) == f"{len(report.cells)} trainings on jax"
    assert len(report.cells) > 1


def test_a_claim_is_one_row_for_all_backends(document):
    found = claim_rows(parse(document))
    assert len(found) == 5
    assert [row.text for row in found] == ["yes", "yes", "not evaluated", "no", "yes"]
    assert measured_lines(found[0]) == ["0.4850 to 0.0237"]


def test_a_claim_that_holds_on_some_backends_says_on_which(document):
    document["claims"][2] |= {"holds": False, "measured": "rose at epoch 7"}
    (row, *_) = claim_rows(parse(document))
    assert (row.text, row.holds) == ("on some", False)
    assert measured_lines(row) == [
        "jax: yes, 0.4850 to 0.0237",
        "tensorflow: yes, 0.4850 to 0.0237",
        "torch: no, rose at epoch 7",
    ]


def test_a_claim_says_why_a_backend_did_not_evaluate_it(broken_document):
    (row, *_) = claim_rows(parse(broken_document))
    assert measured_lines(row) == ["0.4850 to 0.0237", "torch: the variant has no result"]


def test_an_example_is_one_row_for_all_backends(document):
    found = example_rows(parse(document), "imdb")
    assert [len(row.predictions) for row in found] == [3, 3, 3]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\ufffd[31mred"),
        ("null \x00 bell \x07", "null \ufffd bell \ufffd"),
        ("lone \ud800", "lone \ufffd"),
        ("right \u202e left", "right \ufffd left"),
        ("C1 \x9b31m", "C1 \ufffd31m"),
        ("tab\tline\n é 损", "tab\tline\n é 损"),
    ],
)
def test_text_that_could_drive_a_terminal_is_replaced(text, shown):
    assert showable({text: [text]}) == {shown: [shown]}


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("reviews", "reviews, 25,000 to train on, 102 to test on"),
        ("25,000 reviews", "25,000 reviews, 102 to test on"),
        ("25,000 and 102", "25,000 and 102"),
    ],
)
def test_numbers_of_samples_are_told_once(description, text):
    assert data_text(Data("full", description, False, 25_000, 102)) == text


def test_a_title_says_how_many_epochs_ran_where_the_recipe_has_others(document):
    name = next(iter(document["experiments"]))
    variant = document["experiments"][name]["variants"][0]
    ran = {
        len(points)
        for cell in document["cells"]
        if (cell["experiment"], cell["variant"]) == (name, variant["name"])
        for points in cell["history"].values()
    }
    variant["recipe"] = {**variant["recipe"], "epochs": max(ran)}
    assert variants(parse(document), name)[variant["name"]] == variant["title"]
    variant["recipe"]["epochs"] += 1
    shown = variants(parse(document), name)[variant["name"]]
    assert shown == f"{variant['title']} (here {max(ran)} epochs)"
