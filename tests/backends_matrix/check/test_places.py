"""Which quantity differs, by whose judgement, and where the difference begins."""

import pytest

from backends_matrix.check.compared_quantities import compare_all, differing
from backends_matrix.check.localise import Culprit
from backends_matrix.check.places import Context, Places, misjudged, place_of
from backends_matrix.check.tolerance import Distance

from .findings_of_members import Found, members, stage


def gradients(value, gradient=1.0, **data):
    return stage(
        data={"names": ["dense/kernel"], **data},
        outputs=[[1.0]], loss=[value], gradients=[[gradient]],
    )  # fmt: skip


def context(findings, *, training=(), loss="mse"):
    places = Places(training={"torch": training, "jax": training}, localised=frozenset(["torch"]))
    layers = {"dense": "Dense"}
    return Context(findings, [], places, [], "SGD", loss, layers)


def place(findings, check, backend, **known):
    wrong = differing(compare_all(findings))
    pairs = {(each.quantity.check, each.backend) for each in wrong}
    (found,) = [e for e in wrong if (e.quantity.check, e.backend) == (check, backend)]
    return place_of(found, pairs, context(findings, **known))


def test_a_metric_that_differs_alone_is_named_by_itself():
    def found(area):
        return Found(
            numbers__evaluate=stage(logs={"loss": 1.0, "auc": area}),
            numbers__gradients=gradients(1.0, metrics={"auc": "AUC"}),
        )

    findings = members(jax=found(0.5), torch=found(0.25), torch_float64=found(0.5))
    named = place(findings, "evaluate", "torch")
    assert (named.layer, list(named.names)) == ("auc", ["AUC"])


def test_a_loss_is_not_explained_by_a_wrong_gradient():
    known = {"names": ["CTC"], "file": "", "line": None}
    findings = members(
        torch=Found(numbers__gradients=gradients(3.0, 2.0, loss=known)),
        torch_float64=Found(numbers__gradients=gradients(1.0)),
    )  # fmt: skip
    culprit = Culprit("dense", "Dense", "gradients", False, "", None, Distance("", 1.0, 0.0))
    for check in ("loss", "gradients"):
        named = place(findings, check, "torch", training=[culprit], loss="ctc")
        assert (named.layer, list(named.names)) == ("ctc", ["CTC"])


def test_an_input_that_is_changed_in_place_explains_what_else_uses_it():
    findings = members(
        torch=Found(numbers__gradients=gradients(3.0)),
        torch_float64=Found(numbers__gradients=gradients(1.0)),
    )
    culprit = Culprit("bright", "RandomBrightness", "input", False, "", None, Distance("", 1.0, 0))
    named = place(findings, "loss", "torch", training=[culprit])
    assert named.layer == "bright"
    assert "changes its input in place" in named.said


def test_an_activation_is_a_name_of_its_layer():
    findings = members(
        torch=Found(numbers__gradients=gradients(1.0, 2.0)),
        torch_float64=Found(numbers__gradients=gradients(1.0)),
    )
    error = Distance("", 1.0, 0.0)
    culprit = Culprit("dense", "Dense", "gradients", False, "", None, error, "selu")
    named = place(findings, "gradients", "torch", training=[culprit])
    assert list(named.names) == ["Dense", "selu"]
    assert "Dense (activation selu) 'dense'" in named.said


def test_a_judge_that_is_known_to_depart_decides_nothing():
    """The documented loss is infinite on torch; where no two judges agree TensorFlow would decide."""

    def found(loss):
        known = {"names": ["CTC"], "file": "", "line": None}
        return Found(numbers__gradients=gradients(loss, loss=known))

    findings = members(
        jax=found(1e5), tensorflow=found(700.0), torch=found(float("inf")),
        jax_float64=found(1e5), tensorflow_float64=found(700.0), torch_float64=found(float("inf")),
    )  # fmt: skip
    before = compare_all(findings)
    assert {e.backend for e in differing(before)} == {"jax", "torch"}
    wrong = misjudged(before, context(findings, loss="ctc"))
    assert ("loss", "tensorflow") in wrong
    after = differing(compare_all(findings, wrong))
    assert {e.backend for e in after if e.quantity.check == "loss"} == {"jax", "tensorflow"}
    assert {e.judge for e in after if e.quantity.check == "loss"} == {"torch-float64"}


@pytest.mark.parametrize(
    ("jax", "tensorflow", "torch", "odd"),
    [
        ([255], [44], [44], {"jax"}),
        # Without a majority, or with all alike, the judge's word stands.
        ([255], [44], [0], {"jax", "tensorflow", "torch"}),
        ([44], [44], [44], {"jax", "tensorflow", "torch"}),
    ],
)
def test_whole_numbers_on_which_judges_disagree_go_by_the_majority(jax, tensorflow, torch, odd):
    def found(numbers):
        return Found(numbers__forward=stage(outputs=[numbers]))

    findings = members(
        jax=found(jax), tensorflow=found(tensorflow), torch=found(torch),
        tensorflow_float64=found([7]), torch_float64=found([9]),
    )  # fmt: skip
    assert {each.backend for each in differing(compare_all(findings))} == odd


def test_a_backend_that_differs_from_most_is_odd_even_if_the_chosen_judge_has_its_numbers():
    def found(numbers):
        return Found(numbers__forward=stage(outputs=[numbers]))

    findings = members(
        jax=found([255]), tensorflow=found([44]), torch=found([44]),
        tensorflow_float64=found([255]), torch_float64=found([44]),
    )  # fmt: skip
    (odd,) = differing(compare_all(findings))
    assert odd.backend == "jax"
    assert "what most backends have" in odd.first.note


def test_a_majority_does_not_overrule_judges_that_agree():
    def found(numbers):
        return Found(numbers__forward=stage(outputs=[numbers]))

    findings = members(
        jax=found([255]), tensorflow=found([44]), torch=found([44]),
        tensorflow_float64=found([255]), torch_float64=found([255]),
    )  # fmt: skip
    assert {e.backend for e in differing(compare_all(findings))} == {"tensorflow", "torch"}
