"""``portable check`` names every known gap in a model that meets it: kind, layer, gap and backends.

A few run always, the others with ``-m corpus``.
"""

import re

import pytest
from gap_models import MODELS, model_of, named, read_named

from portable_models.known_gaps import known_gaps

GAPS = {gap.id: gap for gap in known_gaps()}
SHORT = {
    "selu-at-zero", "random-brightness-in-place", "crossentropy-in-own-loss", "loss-config",
    "axis-list", "stateful-recurrent",
}  # fmt: skip


def promised(gap):
    """Kind and layer, as the model's file says: ``# named: gradient of magnitude/ops.abs``."""
    text = model_of(gap).read_text(encoding="utf-8")
    (found,) = re.findall(r"^# named: (\w+) of (.+)$", text, re.MULTILINE)
    return found


@pytest.mark.parametrize(
    "gap", [pytest.param(g, id=g, marks=() if g in SHORT else pytest.mark.corpus) for g in GAPS]
)
def test_the_check_names_a_gap(gap, checked):
    gap = GAPS[gap]
    result = checked(model_of(gap))
    entry = named(gap, result)
    assert entry, [(c.name, c.backend, c.layer, c.known_gap, c.cause) for c in result.failures]
    assert (entry["kind"], entry["layer"]) == promised(gap)
    assert entry["backends"] == sorted(gap.backends)
    assert entry["others"] == []
    assert entry == read_named()[gap.id], "run python tools/gap_models.py"


def test_every_gap_has_a_model_and_every_model_a_gap():
    assert {path.stem for path in MODELS.glob("*.py")} == {g.replace("-", "_") for g in GAPS}


def test_the_page_is_of_models_that_are_there():
    assert set(read_named()) == set(GAPS)
