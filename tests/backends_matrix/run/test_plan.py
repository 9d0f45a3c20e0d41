"""Which cells follow from what is asked for."""

from pathlib import Path

import pytest

from backends_matrix.run.extra_replicas import plan_extra_replicas
from backends_matrix.run.plan import plan_cells
from backends_matrix.run.settings import MatrixSettings

DESCRIPTIONS = {"study": {"variants": [{"name": "plain"}, {"name": "deep"}]}}


def settings(**changes):
    return MatrixSettings(out=Path("unused"), backends=("jax", "torch"), **changes)


@pytest.fixture(autouse=True)
def all_installed(monkeypatch):
    """What is planned depends on what is installed."""
    monkeypatch.setattr(
        "backends_matrix.run.plan.installed", lambda backend: backend != "tensorflow"
    )


def test_every_variant_runs_everywhere_and_has_its_replicas_on_two_backends():
    cells = plan_cells(DESCRIPTIONS, settings(replicas=3), "jax")
    planned = (("jax", 0), ("jax", 1), ("jax", 2), ("torch", 0), ("torch", 3))
    assert [(each.variant, each.backend, each.replica) for each in cells] == [
        (variant, backend, replica) for variant in ("plain", "deep") for backend, replica in planned
    ]


@pytest.mark.parametrize(
    ("backends", "replicas", "expected"),
    [
        (("jax", "torch"), 0, []),
        (("jax", "torch"), 1, [("jax", 1)]),
        (("jax", "torch"), 2, [("jax", 1), ("torch", 2)]),
        # Alone, the reference has them all; so it has beside one that is not installed.
        (("jax",), 2, [("jax", 1), ("jax", 2)]),
        (("jax", "tensorflow"), 2, [("jax", 1), ("jax", 2)]),
        (("jax", "tensorflow", "torch"), 2, [("jax", 1), ("torch", 2)]),
    ],
)
def test_replicas_are_halved_between_the_reference_and_the_next_backend(
    backends, replicas, expected
):
    asked = MatrixSettings(out=Path("unused"), backends=backends, replicas=replicas)
    cells = plan_cells({"study": {"variants": [{"name": "plain"}]}}, asked, "jax")
    assert [(each.backend, each.replica) for each in cells if each.replica] == expected


def test_replicas_feed_the_first_pipeline_only():
    asked = settings(replicas=2, pipelines=("numpy", "pandas"))
    cells = plan_cells(DESCRIPTIONS, asked, "jax")
    assert {each.pipeline for each in cells if each.replica} == {"numpy"}


def test_replicas_grow_where_there_is_doubt_until_there_are_the_most_allowed():
    asked = settings(replicas=2, most_replicas=7)
    cells = plan_cells(DESCRIPTIONS, asked, "jax")
    sizes = []
    while added := plan_extra_replicas(cells, {("study", "deep")}, asked, "jax"):
        assert {(each.variant, each.backend) for each in added} == {("deep", "jax")}
        cells += added
        sizes.append(len(added))
    assert sizes == [3, 2]
    assert sorted(each.replica for each in cells if each.variant == "deep") == [0, 0, *range(1, 8)]


def test_who_asks_for_no_replicas_gets_none():
    asked = settings(replicas=0)
    assert not plan_extra_replicas(
        plan_cells(DESCRIPTIONS, asked, "jax"), {("study", "plain")}, asked, "jax"
    )
