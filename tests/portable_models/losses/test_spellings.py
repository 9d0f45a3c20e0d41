"""Every spelling of every loss is one loss: the values of the formula, and one class behind them."""

import json

import keras
import numpy as np
import pytest

from portable_models.resolution import resolve_loss

from . import reference
from .cases import CASES
from .spellings import NEEDED, of_class
from .test_loss_values import close

SPELLED = [
    pytest.param(case, spelling, id=f"{case}-{label}")
    for case in CASES
    for label, spelling in of_class(keras.losses, case.name, case.arguments).items()
]


def as_loss(found):
    """What Keras's compile makes of a function: the mean of its values."""
    if isinstance(found, keras.losses.Loss):
        return found

    class Mean(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return found(y_true, y_pred)

    return Mean()


@pytest.mark.parametrize(("case", "spelling"), SPELLED)
def test_a_spelling_has_the_value_of_the_formula(case, spelling):
    loss = as_loss(resolve_loss(spelling))
    expected = reference.reduce(case.expected(), mask=case.mask)
    close(loss(case.y_true, case.y_pred), expected, case.magnitude)


@pytest.mark.parametrize(("case", "spelling"), SPELLED)
def test_a_spelling_is_computed_by_the_function_whose_gradient_is_proven(case, spelling):
    """``test_loss_gradients`` proves it for the object of the class name."""
    found = resolve_loss(spelling)
    proven = resolve_loss({"class_name": case.name, "config": dict(case.arguments)})
    if isinstance(found, keras.losses.Loss):
        assert type(found) is type(proven)
        given, wanted = (dict(vars(each)) for each in (found, proven))
        for each in (given, wanted):
            # The label in a history; and a config has lists for tuples.
            del each["name"]
            each["_fn_kwargs"] = json.dumps(each["_fn_kwargs"])
            each.pop("axis", None)
        assert given.keys() == wanted.keys()
        for key, value in wanted.items():
            assert given[key] == value, key
    else:
        function = getattr(found, "func", found)
        assert function is getattr(proven, "fn", function)
        assert getattr(found, "keywords", case.arguments) in (
            case.arguments,
            NEEDED.get(case.name),
        )


def test_every_loss_has_at_least_seven_spellings():
    by_name = {}
    for case in CASES:
        by_name.setdefault(case.name, set()).update(
            of_class(keras.losses, case.name, case.arguments)
        )
    assert min(map(len, by_name.values())) >= 7
    assert len(SPELLED) > 200


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("BinaryCrossentropy", {}),
        (
            "BinaryFocalCrossentropy",
            {"gamma": 3.0, "alpha": 0.4, "apply_class_balancing": True, "from_logits": True},
        ),
        ("CategoricalCrossentropy", {}),
        ("SparseCategoricalCrossentropy", {"ignore_class": 2}),
    ],
)
def test_all_arguments_of_an_object_are_kept(name, more):
    smoothed = {} if name.startswith("Sparse") else {"label_smoothing": 0.1}
    arguments = {"axis": 1, "reduction": "sum", "dtype": "float64", "name": "mine"}
    given = getattr(keras.losses, name)(**arguments, **smoothed, **more)
    found = resolve_loss(given)
    assert type(found).__name__ == f"{name}OfProbabilities"
    ours, theirs = ({k: v for k, v in vars(each).items() if k != "fn"} for each in (found, given))
    assert {k: v for k, v in ours.items() if k != "_dtype_policy"} == {
        k: v for k, v in theirs.items() if k != "_dtype_policy"
    }
    assert found.dtype == "float64"


@pytest.mark.parametrize(
    "name", ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"]
)
def test_of_logits_it_is_the_loss_of_keras(name):
    given = getattr(keras.losses, name)(from_logits=True)
    assert resolve_loss(given) is given
    made = resolve_loss({"class_name": name, "config": {"from_logits": True}})
    assert type(made) is getattr(keras.losses, name)


def test_of_logits_the_focal_loss_is_clipped_everywhere():
    """TensorFlow's own is 900 here: it looks behind the sigmoid that Keras has just taken."""
    loss = resolve_loss(keras.losses.BinaryFocalCrossentropy(from_logits=True))
    value = loss(np.ones((1, 1)), np.full((1, 1), -30.0, "float32"))
    # The clipped loss; the focal factor (1 - 1e-13) ** 2 is 1 in float32.
    np.testing.assert_allclose(float(value), -np.log(1e-7), rtol=2e-6)
