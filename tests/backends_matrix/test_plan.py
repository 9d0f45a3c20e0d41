"""Which cells follow from what is asked for."""

from pathlib import Path

from backends_matrix.plan import MatrixSettings, plan
from backends_matrix.second_look import more_replicas

DESCRIPTIONS = {"study": {"variants": [{"name": "plain"}, {"name": "deep"}]}}


def settings(**changes):
    return MatrixSettings(out=Path("unused"), backends=("jax", "torch"), **changes)


def test_every_variant_runs_everywhere_and_has_its_replicas_on_the_reference():
    cells = plan(DESCRIPTIONS, settings(replicas=2), "jax")
    assert [(each.variant, each.backend, each.replica) for each in cells] == [
        (variant, backend, replica)
        for variant in ("plain", "deep")
        for backend, replica in (("jax", 0), ("jax", 1), ("jax", 2), ("torch", 0))
    ]


def test_replicas_grow_where_there_is_doubt_until_there_are_the_most_allowed():
    asked = settings(replicas=2, most_replicas=7)
    cells = plan(DESCRIPTIONS, asked, "jax")
    sizes = []
    while added := more_replicas(cells, {("study", "deep")}, asked, "jax"):
        assert {(each.variant, each.backend) for each in added} == {("deep", "jax")}
        cells += added
        sizes.append(len(added))
    assert sizes == [3, 2]
    assert sorted(each.replica for each in cells if each.variant == "deep") == [0, 0, *range(1, 8)]


def test_who_asks_for_no_replicas_gets_none():
    asked = settings(replicas=0)
    assert not more_replicas(plan(DESCRIPTIONS, asked, "jax"), {("study", "plain")}, asked, "jax")
