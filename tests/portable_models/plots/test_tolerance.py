import math

import pytest

from portable_models.plots import draw_shares


def curves_of(axes):
    """The drawn curves without the tolerance's own line, which spans the frame."""
    return [line for line in axes.get_lines() if line.get_marker() == "o"]


def test_there_is_a_frame_for_each_variant():
    shares = {name: {"torch": [0.1, 0.2]} for name in ("a", "b", "c")}
    drawing = draw_shares("Shares", shares)
    assert [axes.get_title(loc="left") for axes in drawing.axes] == ["a", "b", "c"]


def test_shares_of_any_size_are_on_the_plot():
    (axes,) = draw_shares("Shares", {"a": {"torch": [0.0, 1e-9, 0.5, 1e9, math.inf]}}).axes
    low, high = axes.get_ylim()
    drawn = list(curves_of(axes)[0].get_ydata())
    assert drawn == [1e-4, 1e-4, 0.5, 1e4, 1e4]
    assert low < 1e-4
    assert high > 1e4


def test_an_epoch_without_a_comparison_is_left_out():
    (axes,) = draw_shares("Shares", {"a": {"torch": [0.1, None, 0.3]}}).axes
    assert list(curves_of(axes)[0].get_xdata()) == [1, 3]


def test_a_backend_keeps_its_colour_whichever_backends_are_there(legend_of):
    shares = {"a": {"torch": [0.1]}}
    alone = draw_shares("Shares", shares, backends=["jax", "tensorflow", "torch"])
    both = draw_shares(
        "Shares",
        {"a": {"tensorflow": [0.2], "torch": [0.1]}},
        backends=["jax", "tensorflow", "torch"],
    )
    assert legend_of(alone) == ["torch", "tolerance"]
    colours = [curves_of(drawing.axes[0])[-1].get_color() for drawing in (alone, both)]
    assert colours[0] == colours[1]


def test_a_backend_without_comparisons_is_named(legend_of):
    drawing = draw_shares("Shares", {"a": {"torch": [], "jax": [0.1]}, "b": {"torch": [0.2]}})
    assert [axes.get_title(loc="right") for axes in drawing.axes] == [
        "no result: torch",
        "no result: jax",
    ]
    assert legend_of(drawing) == ["torch", "jax", "tolerance"]


def test_undecidable_epochs_are_shaded(legend_of):
    drawing = draw_shares("Shares", {"a": {"torch": [0.1] * 4}}, undecidable_from={"a": 3})
    (shade,) = drawing.axes[0].patches
    assert shade.get_x() == 2.5
    assert "undecidable" in legend_of(drawing)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="give at least one variant"):
        draw_shares("Shares", {})
