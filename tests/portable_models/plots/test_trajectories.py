import pytest

from portable_models.plots import Trajectory, draw_trajectories, to_svg_text

BACKENDS = ("jax", "torch")


def trajectory(quantity="loss", *, distance=0.01, undecidable=(False, True, True)):
    return Trajectory(
        quantity,
        {"jax": (1.0, 0.5, 0.4), "torch": (1.0, 0.5, 0.4 + distance)},
        "jax",
        (0.001, 0.1, 0.2),
        {"torch": (0.0, 0.0, distance)},
        undecidable,
    )


def draw(*trajectories):
    return draw_trajectories("final", trajectories, backends=BACKENDS)


def spans(axes):
    return [
        (patch.get_x(), patch.get_x() + patch.get_width())
        for patch in axes.patches
        if patch.get_hatch()
    ]


def test_each_metric_has_its_values_and_its_distances():
    drawing = draw(trajectory("loss"), trajectory("mae"))
    assert [axes.get_title(loc="left") for axes in drawing.axes] == ["loss", "mae", "", ""]
    assert [axes.get_yscale() for axes in drawing.axes] == ["linear"] * 2 + ["log"] * 2


def test_many_metrics_take_several_rows():
    assert len(draw(*(trajectory(f"metric {n}") for n in range(5))).axes) == 10


def test_undecidable_epochs_are_shaded_in_both_frames():
    for axes in draw(trajectory()).axes:
        assert spans(axes) == [(1.5, 3.5)]
    for axes in draw(trajectory(undecidable=(True, False, True))).axes:
        assert spans(axes) == [(0.5, 1.5), (2.5, 3.5)]


def test_the_band_lies_around_the_reference_and_does_not_squeeze_the_curves():
    above, _ = draw(trajectory()).axes
    (band,) = above.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(0.4 - 0.2)
    assert heights.max() == pytest.approx(1.0 + 0.001)
    assert above.get_ylim()[0] > 0.2


def test_a_distance_of_zero_is_drawn_on_the_border_and_one_beyond_its_tolerance_is_seen():
    _, beneath = draw(trajectory(distance=30.0)).axes
    low, high = beneath.get_ylim()
    drawn = [line for line in beneath.get_lines() if line.get_linestyle() == "-"]
    assert list(drawn[-1].get_ydata()) == pytest.approx([1.2 * low, 1.2 * low, 30.0])
    assert high > 30


def test_nothing_to_compare_is_drawn_without_a_warning():
    empty = Trajectory("loss", {"jax": (None, None)}, "jax", (None, None), {}, (False, False))
    assert "<svg" in to_svg_text(draw(empty), title="final", prefix="a")


def test_no_metric_is_an_error():
    with pytest.raises(ValueError, match="give at least one metric"):
        draw()


def test_what_no_axis_can_hold_is_left_out():
    gone = Trajectory(
        "loss",
        {"jax": (1e308, 0.5), "torch": (-1e308, 5e-324)},
        "jax",
        (1e308, 5e-324),
        {"torch": (1e308, 5e-324)},
        (False, False),
    )
    above, _ = draw(gone).axes
    assert above.get_ylim()[1] < 1
    assert "<svg" in to_svg_text(draw(gone), title="final", prefix="a")
