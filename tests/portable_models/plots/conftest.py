"""Histories and a reader of drawings that the tests of the plots share."""

import pytest

from portable_models.plots import Curve, Figure


@pytest.fixture
def history():
    return {"loss": [0.5, 0.3, 0.2, 0.1], "val_loss": [0.6, 0.4, 0.5, 0.7]}


@pytest.fixture
def make_figure():
    def make(*curves, **settings):
        return Figure("loss", "Loss", "epoch", "loss", curves, **settings)

    return make


@pytest.fixture
def training_and_validation(make_figure):
    return make_figure(
        Curve("a", "loss", "training loss", "dots"), Curve("a", "val_loss", "validation loss")
    )


@pytest.fixture
def three_variants(make_figure):
    return make_figure(*(Curve(name, "val_loss", f"label of {name}") for name in "abc"))


@pytest.fixture
def legend_of():
    def read(drawing):
        (legend,) = drawing.legends
        return [text.get_text() for text in legend.get_texts()]

    return read
