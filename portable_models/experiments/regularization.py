"""Fighting overfitting on film reviews (F. Chollet, Deep Learning with Python, section 4.4)."""

from __future__ import annotations

from functools import partial
from typing import Any

from portable_models.data import DataSet, load_imdb
from portable_models.experiments.claim import Claim, Outcomes
from portable_models.experiments.experiment import Experiment, Variant
from portable_models.experiments.imdb import RECIPE, dimension
from portable_models.experiments.procedures import ValidateOnTest
from portable_models.models import REGULARIZATION_VARIANTS, imdb_classifier
from portable_models.plots import Curve, CurveStyle, Figure

TITLES = {
    "original": "two hidden layers of 16 units",
    "smaller": "4 units a layer",
    "l2": "L2 penalty of 0.001 on both hidden kernels",
    "l1": "L1 penalty of 0.001 on both hidden kernels",
    "l1_l2": "L1 and L2 penalties of 0.001 on both hidden kernels",
    "activity_l2": "L2 penalty on the hidden activities",
    "dropout": "Dropout of 0.5 after each hidden layer",
    "larger": "512 units a layer",
}
WITH_ADAM = ("original", "smaller")


def build(data: DataSet, arguments: dict[str, Any]) -> Any:
    """One variant's classifier."""
    return imdb_classifier(dimension=dimension(data), **arguments)


def _variants() -> tuple[Variant, ...]:
    made = []
    for name, arguments in REGULARIZATION_VARIANTS.items():
        for optimizer in ("rmsprop", "adam") if name in WITH_ADAM else ("rmsprop",):
            suffix = "" if optimizer == "rmsprop" else f"_{optimizer}"
            made.append(
                Variant(
                    name=name + suffix,
                    title=TITLES[name] + (f", {optimizer}" if suffix else ""),
                    build=partial(build, arguments=dict(arguments)),
                    recipe=RECIPE.replace(optimizer=optimizer),
                    procedure=ValidateOnTest(),
                )
            )
    return tuple(made)


def _overfits(outcomes: Outcomes) -> tuple[bool, str]:
    original = outcomes["original"]
    epoch = original.lowest_epoch("val_loss")
    return epoch <= 5 and original.rise("val_loss") > 0.1 * original.lowest("val_loss"), (
        f"lowest at epoch {epoch}: {original.lowest('val_loss'):.4f}; last {original.last('val_loss'):.4f}"
    )


def _later_than_original(outcomes: Outcomes) -> tuple[bool, str]:
    original, smaller = outcomes["original"], outcomes["smaller"]
    epochs = original.lowest_epoch("val_loss"), smaller.lowest_epoch("val_loss")
    rises = original.rise("val_loss"), smaller.rise("val_loss")
    return epochs[1] > epochs[0] and rises[1] < rises[0], (
        f"lowest at epoch {epochs[1]} (original {epochs[0]}); rises by {rises[1]:.4f} "
        f"(original {rises[0]:.4f})"
    )


def _rises_less(name: str, outcomes: Outcomes) -> tuple[bool, str]:
    rises = outcomes["original"].rise("val_loss"), outcomes[name].rise("val_loss")
    return rises[1] < rises[0], f"rises by {rises[1]:.4f} (original {rises[0]:.4f})"


def _same_parameters(outcomes: Outcomes) -> tuple[bool, str]:
    counts = outcomes["original"].parameters, outcomes["l2"].parameters
    return counts[0] == counts[1], f"{counts[1]} (original {counts[0]})"


def _holds_penalty(outcomes: Outcomes) -> tuple[bool, str]:
    losses = outcomes["original"].history["loss"], outcomes["l2"].history["loss"]
    higher = all(l2 > plain for plain, l2 in zip(*losses, strict=True))
    return higher, f"last {losses[1][-1]:.4f} (original {losses[0][-1]:.4f})"


def _ends_lower(outcomes: Outcomes) -> tuple[bool, str]:
    last = outcomes["original"].last("val_loss"), outcomes["dropout"].last("val_loss")
    return last[1] < last[0], f"{last[1]:.4f} (original {last[0]:.4f})"


def _larger_overfits_faster(outcomes: Outcomes) -> tuple[bool, str]:
    epochs = tuple(outcomes[name].lowest_epoch("val_loss") for name in ("original", "larger"))
    losses = tuple(outcomes[name].last("loss") for name in ("original", "larger"))
    return epochs[1] <= epochs[0] and losses[1] < losses[0], (
        f"lowest at epoch {epochs[1]} (original {epochs[0]}); last training loss {losses[1]:.2e} "
        f"(original {losses[0]:.2e})"
    )


CLAIMS = (
    Claim(
        statement="the original's validation loss is lowest by epoch 5 and a tenth higher at the end",
        variants=("original",),
        check=_overfits,
        published="overfits after epoch 4",
    ),
    Claim(
        statement="the smaller network overfits later than the original and degrades more slowly",
        variants=("original", "smaller"),
        check=_later_than_original,
        published="starts to overfit after about epoch 6, degrades more slowly",
    ),
    Claim(
        statement="L2: validation loss rises less above its minimum than the original's",
        variants=("original", "l2"),
        check=partial(_rises_less, "l2"),
        published="more resistant to overfitting",
    ),
    Claim(
        statement="L2: as many parameters as the original",
        variants=("original", "l2"),
        check=_same_parameters,
        published="same number of parameters",
        full_length=False,
    ),
    Claim(
        statement="L2: training loss is above the original's at every epoch, as it holds the penalty",
        variants=("original", "l2"),
        check=_holds_penalty,
        published="training loss is higher",
        full_length=False,
    ),
    Claim(
        statement="Dropout: final validation loss is below the original's",
        variants=("original", "dropout"),
        check=_ends_lower,
        published="a clear improvement over the original",
    ),
    Claim(
        statement="the larger network overfits no later than the original and fits the training data closer",
        variants=("original", "larger"),
        check=_larger_overfits_faster,
        published="overfits almost at once, after one epoch",
    ),
)


def _beside_original(name: str) -> Figure:
    return Figure(
        name=f"val_loss_{name}",
        title=f"Validation loss: original and {name}",
        x_label="epoch",
        y_label="validation loss",
        curves=(
            Curve("original", "val_loss", "original", CurveStyle.DOTS),
            Curve(name, "val_loss", name, CurveStyle.LINE),
        ),
    )


regularization = Experiment(
    name="regularization",
    title="Fighting overfitting on film reviews",
    description=(
        "The film-review classifier smaller, larger, with penalties and with Dropout; each trained for 20 "
        "epochs and validated on the test reviews, beside the original."
    ),
    load=lambda source, trust: load_imdb(source, trust=trust),
    variants=_variants(),
    figures=tuple(
        _beside_original(variant.name) for variant in _variants() if variant.name != "original"
    ),
    claims=CLAIMS,
)
