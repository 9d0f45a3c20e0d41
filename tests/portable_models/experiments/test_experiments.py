"""Experiments: the built-in ones hold what is asked of them; names, claims and procedures behave."""

import json
import math

import keras
import numpy as np
import pytest

from portable_models import Experiment, Recipe, run
from portable_models.built_in import BUILT_IN
from portable_models.data import ArraySamples, DataSet
from portable_models.experiments import (
    Claim,
    FinalTest,
    HoldOut,
    KFold,
    Outcome,
    Settings,
    UnknownExperimentError,
    UnknownVariantError,
    ValidateOnTest,
    Variant,
    experiment,
)
from portable_models.experiments.outcome import Example
from portable_models.training import Training

RECIPE = Recipe(loss="mse", metrics=("mae",), epochs=2, batch_size=8)


def data(source="sample", trust=False):
    rng = np.random.default_rng(0)
    x = rng.random((60, 3)).astype("float32")
    y = x.sum(axis=1)
    return DataSet(
        "sums", source, ArraySamples(x[:40], y[:40]), ArraySamples(x[40:], y[40:]), "sums of three"
    )


def build(_):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def study(*procedures, claims=(), **changes):
    variants = [
        Variant(
            name=f"v{index}", title="", build=build, recipe=RECIPE, procedure=procedure, **changes
        )
        for index, procedure in enumerate(procedures)
    ]
    return Experiment(
        name="sums", title="", description="", load=data, variants=variants, claims=claims
    )


def outcome(losses, *, epochs=3, real=True):
    return Outcome(Training({"loss": losses}, "keras"), epochs=epochs, real_data=real)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_experiment_is_found_and_is_whole(name):
    found = experiment(name)
    assert found.name == name
    known = {variant.name for variant in found.variants}
    assert {curve.variant for figure in found.figures for curve in figure.curves} <= known
    assert {variant for claim in found.claims for variant in claim.variants} <= known
    assert found.claims
    assert found.figures


@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("imdb", ["validated", "final"]),
        ("boston", ["kfold", "kfold_curve", "final"]),
        (
            "regularization",
            [
                "original",
                "original_adam",
                "smaller",
                "smaller_adam",
                "l2",
                "l1",
                "l1_l2",
                "activity_l2",
                "dropout",
                "larger",
            ],
        ),
    ],
)
def test_the_published_variants_are_there(name, variants):
    assert sorted(variant.name for variant in experiment(name).variants) == sorted(variants)


@pytest.mark.parametrize(
    ("name", "variant", "epochs", "batch_size"),
    [
        ("imdb", "validated", 20, 512),
        ("imdb", "final", 4, 512),
        ("boston", "kfold", 100, 1),
        ("boston", "kfold_curve", 200, 1),
        ("boston", "final", 80, 16),
        ("regularization", "dropout", 20, 512),
    ],
)
def test_the_published_settings_are_kept(name, variant, epochs, batch_size):
    recipe = experiment(name).variant(variant).recipe
    assert (recipe.epochs, recipe.batch_size) == (epochs, batch_size)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bostn", r"unknown experiment 'bostn': .* did you mean boston\?"),
        ("nowhere.at_all:study", "the module nowhere is not found"),
        ("json:loads", "a function under loads; expected a portable_models.Experiment"),
        ("json:nothing", "no such object under nothing"),
        (":study", "unknown experiment ':study'"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(name, message):
    with pytest.raises(UnknownExperimentError, match=message):
        experiment(name)


def test_an_unknown_variant_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownVariantError, match="expected one of validated, final"):
        experiment("imdb").variant("dropout")


def test_two_variants_of_one_name_are_refused():
    variant = Variant(name="v", title="", build=build, recipe=RECIPE, procedure=FinalTest())
    with pytest.raises(ValueError, match="variants with different names"):
        Experiment(name="e", title="", description="", load=data, variants=[variant, variant])


def test_each_procedure_says_what_it_trained_on():
    result = run(study(HoldOut(0.25), ValidateOnTest(), FinalTest(), KFold(4)))
    assert [each.samples for each in result.outcomes.values()] == [
        {"train": 30, "validation": 10},
        {"train": 40, "validation": 20},
        {"train": 40, "test": 20},
        {"train": 30, "validation": 10},
    ]
    assert [sorted(each.final) for each in result.outcomes.values()] == [
        [],
        [],
        ["test_loss", "test_mae", "test_mean_prediction"],
        ["fold_1_mae", "fold_2_mae", "fold_3_mae", "fold_4_mae", "mean_mae"],
    ]
    assert {each.parameters for each in result.outcomes.values()} == {4}


def test_holding_out_everything_or_nothing_is_refused():
    with pytest.raises(ValueError, match="both must be at least 1"):
        run(study(HoldOut(1.0)))


def test_settings_change_epochs_and_seed():
    plain = run(study(FinalTest())).outcomes["v0"]
    changed = run(study(FinalTest()), settings=Settings(epochs=1, seed=1)).outcomes["v0"]
    assert (plain.epochs_run, changed.epochs_run) == (2, 1)
    assert plain.training.digests["initial_weights"] != changed.training.digests["initial_weights"]


def test_the_sample_may_be_shortened_and_the_full_data_not():
    short = study(FinalTest(), sample_epochs=1)
    assert run(short).outcomes["v0"].epochs_run == 1
    assert run(short, data="full").outcomes["v0"].epochs_run == 2


def test_an_outcome_survives_json():
    before = Outcome(
        Training({"loss": [1.0]}, "keras", "why", {"data": "d"}, {"test_loss": 2.0}),
        epochs=3,
        parameters=4,
        samples={"train": 5},
        real_data=False,
        examples=(Example("text", 0.5, 1.0),),
    )
    after = Outcome.from_json(json.loads(json.dumps(before.to_json())))
    assert after.to_json() == before.to_json()


def test_lowest_epoch_and_rise_count_from_one():
    found = outcome([3.0, 1.0, 2.5])
    assert (found.lowest_epoch("loss"), found.rise("loss"), found.last("loss")) == (2, 1.5, 2.5)


@pytest.mark.parametrize("holds", [True, False])
def test_a_claim_is_checked_with_its_figures(holds):
    claim = Claim(statement="s", variants=("a",), check=lambda outcomes: (holds, "figures"))
    finding = claim.evaluate({"a": outcome([1.0, 2.0, 3.0])})
    assert (finding.holds, finding.measured) == (holds, "figures")


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ({}, "the variant a has no result"),
        ({"a": outcome([1.0, 2.0])}, "a ran 2 of 3 epochs"),
        ({"a": outcome([1.0, 2.0, 3.0], real=False)}, "needs the real data"),
    ],
)
def test_a_claim_that_cannot_be_checked_says_why(outcomes, reason):
    claim = Claim(
        statement="s", variants=("a",), check=lambda _: pytest.fail("was checked"), real_data=True
    )
    finding = claim.evaluate(outcomes)
    assert finding.holds is None
    assert reason in finding.reason


def test_the_claims_of_a_run_are_evaluated():
    claim = Claim(
        statement="the loss is a number",
        variants=("v0",),
        check=lambda outcomes: (math.isfinite(outcomes["v0"].last("loss")), ""),
    )
    assert run(study(FinalTest(), claims=(claim,))).findings["the loss is a number"].holds is True


def test_reviews_come_with_examples_of_what_the_model_says():
    result = run("imdb", variants=["final"], settings=Settings(epochs=1))
    examples = result.outcomes["final"].examples
    assert len(examples) == 3
    for example in examples:
        assert 0.0 <= example.probability <= 1.0
        assert example.label in (0.0, 1.0)
        assert len(example.text.split()) > 10
