import os
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from portable_models.plots import Band, Curve, draw, draw_overlaid


def lines_of(axes):
    return [line for line in axes.get_lines() if len(line.get_xdata())]


def test_training_is_dots_and_validation_a_line(training_and_validation, history):
    (axes,) = draw(training_and_validation, {"a": history}).axes
    training, validation = lines_of(axes)
    assert (training.get_linestyle(), training.get_marker()) == ("None", "o")
    assert (validation.get_linestyle(), validation.get_marker()) == ("-", "None")


def test_epochs_count_from_1(training_and_validation, history):
    (axes,) = draw(training_and_validation, {"a": history}).axes
    assert list(lines_of(axes)[0].get_xdata()) == [1, 2, 3, 4]


def test_the_curves_of_one_variant_have_one_colour_and_variants_different_ones(
    make_figure, history
):
    curves = [Curve(name, key, name + key) for name in "ab" for key in ("loss", "val_loss")]
    (axes,) = draw(make_figure(*curves), {"a": history, "b": history}).axes
    colours = [line.get_color() for line in lines_of(axes)]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_past_the_last_colour_the_dashes_tell_variants_apart(make_figure, history):
    names = [f"v{number}" for number in range(9)]
    figure = make_figure(*(Curve(name, "loss", name) for name in names))
    (axes,) = draw(figure, dict.fromkeys(names, history)).axes
    looks = {(line.get_color(), line.get_linestyle()) for line in lines_of(axes)}
    assert len(looks) == 9


def test_a_missing_variant_is_named_in_the_legend(three_variants, history, legend_of):
    drawing = draw(three_variants, {"a": history, "c": {"loss": [1.0]}})
    assert legend_of(drawing) == ["label of a", "label of b (no result)", "label of c (no result)"]


def test_a_missing_value_leaves_a_gap(make_figure):
    figure = make_figure(Curve("a", "loss", "a"))
    (axes,) = draw(figure, {"a": {"loss": [0.5, None, 0.2]}}).axes
    np.testing.assert_array_equal(lines_of(axes)[0].get_ydata(), [0.5, np.nan, 0.2])


def test_smoothed_points_are_drawn_from_the_first_that_is_not_skipped(make_figure):
    figure = make_figure(Curve("a", "loss", "a"), skip_first=1, smoothing=0.5)
    (axes,) = draw(figure, {"a": {"loss": [9.0, 4.0, 2.0]}}).axes
    (line,) = lines_of(axes)
    assert list(line.get_xdata()) == [2, 3]
    assert list(line.get_ydata()) == [4.0, 3.0]


@pytest.mark.parametrize("label", ["$\\frac{", "_hidden", "a & b <i>", "line\nbreak", "100 %"])
def test_a_label_is_drawn_as_it_is(make_figure, history, legend_of, label):
    drawing = draw(make_figure(Curve("a", "loss", label)), {"a": history})
    assert legend_of(drawing) == [label]


def test_the_caption_and_the_title_are_in_the_drawing(training_and_validation, history):
    drawing = draw(training_and_validation, {"a": history}, caption="torch · synthetic data")
    assert drawing.get_suptitle() == "Loss"
    assert "torch · synthetic data" in [text.get_text() for text in drawing.texts]


def test_many_variants_get_a_frame_each(three_variants, history):
    runs = dict.fromkeys("abc", history)
    drawing = draw_overlaid(three_variants, {"jax": runs, "torch": runs})
    assert [axes.get_title(loc="left") for axes in drawing.axes] == ["a", "b", "c"]


def test_two_curves_share_a_frame(make_figure, history):
    figure = make_figure(Curve("a", "val_loss", "a", "dots"), Curve("b", "val_loss", "b"))
    drawing = draw_overlaid(figure, {"jax": {"a": history, "b": history}})
    assert len(drawing.axes) == 1


def test_each_backend_is_drawn_thinner_than_those_under_it(training_and_validation, history):
    runs = {"a": history}
    histories = {"jax": runs, "tensorflow": runs, "torch": runs}
    (axes,) = draw_overlaid(training_and_validation, histories).axes
    widths = [line.get_linewidth() for line in lines_of(axes) if line.get_linestyle() == "-"]
    sizes = [line.get_markersize() for line in lines_of(axes) if line.get_linestyle() == "None"]
    assert widths == sorted(set(widths), reverse=True)
    assert sizes == sorted(set(sizes), reverse=True)


def test_a_backend_without_results_is_named(training_and_validation, history, legend_of):
    drawing = draw_overlaid(training_and_validation, {"jax": {"a": history}, "torch": {}})
    assert drawing.axes[0].get_title(loc="right") == "no result: torch"
    assert legend_of(drawing) == ["jax", "torch (no result)", "training loss", "validation loss"]


def test_a_backend_without_one_variant_is_named_where_that_variant_is(three_variants, history):
    everything = dict.fromkeys("abc", history)
    drawing = draw_overlaid(three_variants, {"jax": everything, "torch": {"a": history}})
    notes = [axes.get_title(loc="right") for axes in drawing.axes]
    assert notes == ["", "no result: torch", "no result: torch"]


def test_in_a_shared_frame_the_missing_variant_is_named(make_figure, history):
    figure = make_figure(Curve("a", "loss", "a", "dots"), Curve("b", "loss", "b"))
    both = {"a": history, "b": history}
    drawing = draw_overlaid(figure, {"jax": both, "torch": {"a": history}})
    assert drawing.axes[0].get_title(loc="right") == "no result: torch (b)"


def test_without_any_result_the_drawing_still_says_so(training_and_validation, legend_of):
    drawing = draw_overlaid(training_and_validation, {"jax": {}, "torch": {}})
    assert "jax (no result)" in legend_of(drawing)


def test_a_band_lies_around_the_reference(training_and_validation, history):
    other = {"loss": [9.0] * 4, "val_loss": [9.0] * 4}
    (axes,) = draw_overlaid(
        training_and_validation,
        {"jax": {"a": other}, "torch": {"a": history}},
        bands={("a", "val_loss"): Band((0.05, 0.05, None, 0.1))},
        reference="torch",
    ).axes
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.round(9)} >= {(1, 0.55), (1, 0.65), (4, 0.6)}
    assert 3 not in corners[:, 0]


def test_a_wide_band_does_not_squeeze_the_curves(three_variants, history):
    runs = {"jax": dict.fromkeys("abc", history)}
    bands = {("c", "val_loss"): Band((1e6,) * 4, undecidable_from=2)}
    plain, banded = (
        draw_overlaid(three_variants, runs),
        draw_overlaid(three_variants, runs, bands=bands),
    )
    assert banded.axes[2].get_ylim() == plain.axes[2].get_ylim()


@pytest.mark.parametrize(("start", "named"), [(3, True), (4, True), (5, False), (None, False)])
def test_undecidable_epochs_are_named_where_there_are_any(
    training_and_validation, history, legend_of, start, named
):
    drawing = draw_overlaid(
        training_and_validation,
        {"jax": {"a": history}},
        bands={("a", "loss"): Band((0.1,) * 4, undecidable_from=start)},
    )
    assert ("undecidable" in legend_of(drawing)) is named


def test_drawing_leaves_the_users_settings_alone(training_and_validation, history):
    before = dict(mpl.rcParams)
    draw(training_and_validation, {"a": history})
    assert dict(mpl.rcParams) == before


def test_drawing_needs_neither_pyplot_nor_a_window_nor_keras():
    program = (
        "import sys\n"
        "from portable_models.plots import Curve, Figure\n"
        "assert 'matplotlib' not in sys.modules, 'a figure needs no Matplotlib'\n"
        "from portable_models.plots import draw, to_svg_text\n"
        "figure = Figure('f', 'F', 'x', 'y', (Curve('a', 'loss', 'a'),))\n"
        "to_svg_text(draw(figure, {'a': {'loss': [1.0, 2.0]}}), title='F', prefix='f-')\n"
        "unwanted = {'matplotlib.pyplot', 'keras', 'jax', 'tensorflow', 'torch'} & set(sys.modules)\n"
        "print(sorted(unwanted))\n"
    )
    environment = {name: text for name, text in os.environ.items() if name != "MPLBACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"
