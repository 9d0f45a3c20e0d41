"""Binary classification of film reviews (F. Chollet, Deep Learning with Python, section 3.4)."""

from __future__ import annotations

from typing import Any

from portable_models.data import DataSet, MultiHotSamples, load_imdb
from portable_models.experiments.claim import Claim, Outcomes
from portable_models.experiments.experiment import Experiment, Variant
from portable_models.experiments.procedures import FinalTest, HoldOut
from portable_models.models import imdb_classifier
from portable_models.plots import Curve, CurveStyle, Figure
from portable_models.training.recipe import Recipe

RECIPE = Recipe(
    optimizer="rmsprop",
    loss="binary_crossentropy",
    metrics=("accuracy",),
    epochs=20,
    batch_size=512,
)


def dimension(data: DataSet) -> int:
    """The number of words that a review's vector counts."""
    if not isinstance(data.train, MultiHotSamples):
        raise TypeError(f"expected bags of words; got {type(data.train).__name__}")
    return data.train.dimension


def build(data: DataSet) -> Any:
    """The classifier of the study: two hidden layers of 16 units."""
    return imdb_classifier(dimension=dimension(data))


def _falls_all_the_way(outcomes: Outcomes) -> tuple[bool, str]:
    losses = outcomes["validated"].history["loss"]
    rises = [epoch for epoch in range(1, len(losses)) if losses[epoch] >= losses[epoch - 1]]
    found = f"rises at epoch {rises[0] + 1}" if rises else "falls at every epoch"
    return not rises, f"{found}; {losses[0]:.4f} to {losses[-1]:.4f}"


def _overfits_early(outcomes: Outcomes) -> tuple[bool, str]:
    outcome = outcomes["validated"]
    best = outcome.lowest_epoch("val_loss")
    # A rise of a tenth of the lowest loss is far above the noise of this study (below 1e-4).
    return best < 8 and outcome.rise("val_loss") > 0.1 * outcome.lowest("val_loss"), (
        f"lowest at epoch {best}: {outcome.lowest('val_loss'):.4f}; last {outcome.last('val_loss'):.4f}"
    )


def _best_at_3_or_4(outcomes: Outcomes) -> tuple[bool, str]:
    best = outcomes["validated"].lowest_epoch("val_loss")
    return best in (3, 4), f"lowest at epoch {best}"


def _test_accuracy(outcomes: Outcomes) -> tuple[bool, str]:
    accuracy = outcomes["final"].final["test_accuracy"]
    return 0.85 <= accuracy <= 0.89, f"{accuracy:.4f}"


def _training_accuracy(outcomes: Outcomes) -> tuple[bool, str]:
    accuracy = outcomes["final"].history["accuracy"]
    published = (0.8217, 0.9097, 0.9299, 0.9404)
    # Other initial weights move the first epoch by about 0.02 and the later ones by less.
    near = all(abs(a - b) < 0.02 for a, b in zip(accuracy, published, strict=True))
    return near, " ".join(f"{value:.4f}" for value in accuracy)


CLAIMS = (
    Claim(
        statement="training loss falls at every epoch",
        variants=("validated",),
        check=_falls_all_the_way,
        published="falls all the way over 20 epochs",
    ),
    Claim(
        statement="validation loss is lowest before epoch 8 and more than a tenth higher at the end",
        variants=("validated",),
        check=_overfits_early,
        published="overfits after epoch 4",
    ),
    Claim(
        statement="validation loss is lowest at epoch 3 or 4",
        variants=("validated",),
        check=_best_at_3_or_4,
        published="best at epoch 3 or 4",
        real_data=True,
    ),
    Claim(
        statement="training accuracy of the four epochs is within 0.02 of the published",
        variants=("final",),
        check=_training_accuracy,
        published="0.8217 0.9097 0.9299 0.9404",
        real_data=True,
    ),
    Claim(
        statement="test accuracy after four epochs lies in 0.85 to 0.89",
        variants=("final",),
        check=_test_accuracy,
        published="0.8735",
        real_data=True,
    ),
)


def _figure(name: str, title: str, quantity: str) -> Figure:
    return Figure(
        name=name,
        title=title,
        x_label="epoch",
        y_label=quantity,
        curves=(
            Curve("validated", quantity, f"training {quantity}", CurveStyle.DOTS),
            Curve("validated", f"val_{quantity}", f"validation {quantity}", CurveStyle.LINE),
        ),
    )


imdb = Experiment(
    name="imdb",
    title="Film reviews: good or bad",
    description=(
        "Reviews as bags of the 10,000 most frequent words; two hidden layers of 16 units. Trained for 20 "
        "epochs it overfits after the first few; trained for 4 on all reviews it is tested."
    ),
    load=lambda source, trust: load_imdb(source, trust=trust),
    variants=(
        Variant(
            name="validated",
            title="20 epochs, two fifths of the reviews held out",
            build=build,
            recipe=RECIPE,
            procedure=HoldOut(0.4),
        ),
        Variant(
            name="final",
            title="4 epochs on all training reviews, then the test",
            build=build,
            recipe=RECIPE.replace(epochs=4),
            procedure=FinalTest(),
        ),
    ),
    figures=(
        _figure("loss", "Training and validation loss", "loss"),
        _figure("accuracy", "Training and validation accuracy", "accuracy"),
    ),
    claims=CLAIMS,
)
