import numpy as np
import pytest

from backends_matrix.certify.margin import Margin, MarginKind
from backends_matrix.errors import CallError


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("2%", 0.02, MarginKind.RELATIVE),
        (" 0.5 %", 0.005, MarginKind.RELATIVE),
        ("1pt", 0.01, MarginKind.ABSOLUTE),
        ("0.05", 0.05, MarginKind.ABSOLUTE),
        ("5e-3", 0.005, MarginKind.ABSOLUTE),
        (".1", 0.1, MarginKind.ABSOLUTE),
        ("3", 3.0, MarginKind.ABSOLUTE),
    ],
)
def test_a_margin_is_read_as_it_is_written(text, value, kind):
    found = Margin.parse(text)
    assert found.kind is kind
    assert found.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "two", "-2%", "nan", "inf", "2%%", "2 points", "1e", "²%", "0x1", "1_0"]
)
def test_what_is_no_margin_is_refused(text):
    with pytest.raises(CallError, match="is not understood: expected a percentage"):
        Margin.parse(text)


@pytest.mark.parametrize("text", ["0%", "0", "0pt", "1e999"])
def test_a_margin_is_above_zero_and_finite(text):
    with pytest.raises(CallError, match="must be above 0"):
        Margin.parse(text)


@pytest.mark.parametrize("text", ["100%", "250%", "100pt"])
def test_a_margin_that_holds_everything_is_refused(text):
    with pytest.raises(CallError, match="must be below 100"):
        Margin.parse(text)


def test_a_number_that_holds_every_accuracy_is_refused():
    with pytest.raises(CallError, match="write 2% or 2pt"):
        Margin.parse("2").check_metric("val_accuracy")
    Margin.parse("2").check_metric("val_mae")


def test_a_relative_margin_is_a_share_of_each_seeds_reference():
    margin = Margin.parse("2%")
    assert margin.of(np.array([1.0, 3.0])) == pytest.approx([0.02, 0.06])
    assert margin.of(np.array([-1.0, -3.0])) == pytest.approx([0.02, 0.06])
