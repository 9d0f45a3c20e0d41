import json

import pytest

from portable_models.plots import Curve, CurveStyle, Figure, exponential_moving_average

CURVES = (Curve("a", "loss", "training", CurveStyle.DOTS), Curve("a", "val_loss", "validation"))


def figure(**changes):
    settings = {
        "name": "loss",
        "title": "Loss",
        "x_label": "epoch",
        "y_label": "loss",
        "curves": CURVES,
    }
    return Figure(**settings | changes)


def test_smoothing_is_the_previous_value_times_the_factor_plus_the_rest_of_the_point():
    # By hand: 10; 10 x 0.9 + 20 x 0.1 = 11; 11 x 0.9 + 0 x 0.1 = 9.9.
    assert exponential_moving_average([10.0, 20.0, 0.0], 0.9) == pytest.approx([10.0, 11.0, 9.9])


def test_smoothing_with_factor_0_changes_nothing():
    assert exponential_moving_average([3.0, 1.0, 2.0], 0.0) == [3.0, 1.0, 2.0]


def test_a_missing_point_stays_missing_and_leaves_the_average_as_it_was():
    assert exponential_moving_average([None, 4.0, None, 2.0], 0.5) == [None, 4.0, None, 3.0]


def test_smoothing_nothing_gives_nothing():
    assert exponential_moving_average([], 0.9) == []


@pytest.mark.parametrize("factor", [-0.1, 1.0, 1.5])
def test_a_smoothing_factor_out_of_range_is_refused(factor):
    with pytest.raises(ValueError, match=f"at least 0 and below 1; got {factor}"):
        exponential_moving_average([1.0], factor)


def test_points_are_skipped_before_they_are_smoothed():
    epochs, values = figure(skip_first=2, smoothing=0.5).points(
        CURVES[0], {"loss": [100.0, 50.0, 4.0, 2.0]}
    )
    assert epochs == [3, 4]
    assert values == [4.0, 3.0]


@pytest.mark.parametrize("history", [{}, {"val_loss": [1.0]}, {"loss": [1.0, 2.0]}])
def test_a_curve_without_enough_history_has_no_points(history):
    assert figure(skip_first=2).points(CURVES[0], history) == ([], [])


def test_a_figure_is_the_same_after_json():
    original = figure(skip_first=10, smoothing=0.9)
    assert Figure.from_json(json.loads(json.dumps(original.to_json()))) == original


def test_keys_of_a_later_format_are_ignored():
    record = figure().to_json() | {"colour": "red"}
    assert Figure.from_json(record) == figure()


def test_variants_are_named_once_in_the_order_of_the_curves():
    curves = (Curve("b", "loss", "b"), Curve("a", "loss", "a"), Curve("b", "val_loss", "b too"))
    assert figure(curves=curves).variants == ("b", "a")


def test_an_unknown_style_is_refused_by_name():
    with pytest.raises(ValueError, match="'line' or 'dots'; the curve 'x' has 'dashes'"):
        Curve("a", "loss", "x", "dashes")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"curves": ()}, "'loss' has no curves"),
        ({"skip_first": -1}, "0 or more; figure 'loss' has -1"),
        ({"smoothing": 1.0}, "below 1; got 1.0"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        figure(**changes)
