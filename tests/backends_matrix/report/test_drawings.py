import pytest

from backends_matrix.report.drawings import plots, safe_name
from backends_matrix.report.records import parse


def tolerance_plot(document):
    (plot,) = [plot for plot in plots(parse(document)) if not plot.figure + plot.variant]
    return plot.drawing


def frame(drawing, title):
    (axes,) = [axes for axes in drawing.axes if axes.get_title(loc="left") == title]
    return axes


def curve_of(axes, backend):
    """The drawn shares: in the order of the backends, of which the reference has none."""
    lines = [line for line in axes.get_lines() if line.get_marker() == "o"]
    line = lines[["jax", "tensorflow", "torch"].index(backend)]
    return dict(zip(line.get_xdata(), line.get_ydata(), strict=True))


def shares_at(document, epoch, **shares):
    """Give the comparisons of imdb/final on torch at an epoch these shares of their tolerance."""
    for entry in document["comparisons"]:
        place = (entry["variant"], entry["backend"], entry["epoch"])
        if place == ("final", "torch", epoch) and entry["quantity"] in shares:
            entry |= {"tolerance": 0.5, "difference": 0.5 * shares[entry["quantity"]]}
    return document


def undecidable(document, quantities, epochs):
    for entry in document["comparisons"]:
        meant = quantities is None or entry["quantity"] in quantities
        if meant and entry["variant"] == "final" and entry["epoch"] in epochs:
            entry["verdict"] = "undecidable"
    return document


@pytest.fixture
def bare_document(small_document):
    """Without figures, so that only the plot of the tolerance is drawn."""
    small_document["experiments"]["imdb"]["figures"] = []
    return small_document


def test_the_metric_nearest_to_its_tolerance_is_drawn(bare_document):
    document = shares_at(bare_document, 2, loss=0.25, val_loss=0.75)
    axes = frame(tolerance_plot(document), "final")
    assert curve_of(axes, "torch")[2] == 0.75


def test_what_proves_nothing_does_not_hide_what_does(bare_document):
    document = shares_at(bare_document, 2, loss=0.25, val_loss=0.75)
    document = undecidable(document, {"val_loss", "accuracy", "val_accuracy"}, {2})
    assert curve_of(frame(tolerance_plot(document), "final"), "torch")[2] == 0.25


@pytest.mark.parametrize(
    ("quantities", "epochs", "start"),
    [(None, {3, 4}, 3), (None, {2, 4}, 4), (None, {2, 3}, None), ({"loss"}, {3, 4}, None)],
)
def test_only_epochs_where_nothing_is_decidable_are_shaded(
    bare_document, quantities, epochs, start
):
    axes = frame(tolerance_plot(undecidable(bare_document, quantities, epochs)), "final")
    assert [shade.get_x() for shade in axes.patches] == ([] if start is None else [start - 0.5])


def test_a_backend_that_did_not_run_gets_no_plot_of_its_own(small_document):
    for entry in small_document["cells"]:
        if entry["backend"] == "torch":
            entry["status"] = "crashed"
    assert {plot.backend for plot in plots(parse(small_document))} == {"", "jax", "tensorflow"}


def test_without_comparisons_there_is_no_plot_of_the_tolerance(small_document):
    small_document["comparisons"] = []
    assert "" not in [plot.figure for plot in plots(parse(small_document))]


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_plot_says_whether_its_data_are_synthetic(bare_document, synthetic):
    bare_document["experiments"]["imdb"]["data"]["synthetic"] = synthetic
    texts = [text.get_text() for text in tolerance_plot(bare_document).texts]
    assert ("synthetic data" in texts) is synthetic


@pytest.mark.parametrize("name", ["imdb", "val_loss-2", "L1"])
def test_a_plain_name_is_a_file_name_as_it_is(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "my_package.study:study", "x" * 300, "é", "a\nb"]
)
def test_another_name_becomes_a_safe_one(name):
    safe = safe_name(name)
    assert safe.replace("_", "").replace("-", "").isalnum()
    assert safe.isascii()
    assert len(safe) < 80
    assert safe != safe_name(name + "'")
