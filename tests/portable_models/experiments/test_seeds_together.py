"""Seeds of a variant that are trained side by side come out as each by itself."""

import dataclasses

import numpy as np
import pytest

from portable_models.experiments import FinalTest, Settings, experiment, run_seeds, run_variant
from portable_models.experiments.tasks import run_tasks

ROUNDING = 1e-5
"""Some epochs of small networks, whose products are summed in another order where members are mapped over."""
VARIANTS = [("boston", "final"), ("boston", "kfold"), ("regularization", "smaller")]


@pytest.mark.parametrize(("study", "name"), VARIANTS, ids=lambda each: each)
def test_seeds_together_come_out_as_alone(study, name):
    found = experiment(study)
    variant, data = found.variant(name), found.load("sample", False)
    settings = [Settings(epochs=2, seed=seed) for seed in range(3)]
    together = list(run_seeds([variant] * 3, data, settings))
    for outcome, each in zip(together, settings, strict=True):
        alone = run_variant(variant, data, each)
        assert outcome.training.digests == alone.training.digests
        assert outcome.samples == alone.samples
        for own, other in ((outcome.history, alone.history), (outcome.final, alone.final)):
            assert own.keys() == other.keys()
            for metric, values in other.items():
                np.testing.assert_allclose(own[metric], values, rtol=ROUNDING, err_msg=metric)
    losses = {each.history["loss"][-1] for each in together}
    assert len(losses) == 3


class OwnRun(FinalTest):
    """Replaces what a procedure does, and inherits its stages."""

    def run(self, task):
        return ("its own", task)


def test_a_procedure_that_replaces_run_is_run():
    assert list(run_tasks(OwnRun(), ["one", "two"])) == [("its own", "one"), ("its own", "two")]


class OnlyRun:
    def run(self, task):
        return task


def test_a_procedure_without_stages_is_carried_out_for_one_task_after_the_other():
    assert list(run_tasks(OnlyRun(), [1, 2, 3])) == [1, 2, 3]


def test_models_that_together_are_too_large_are_trained_in_parts(monkeypatch):
    monkeypatch.setattr("portable_models.experiments.tasks.MOST_WEIGHTS", 6_000)
    found = experiment("boston")
    variant, data = found.variant("final"), found.load("sample", False)
    variant = dataclasses.replace(variant, recipe=variant.recipe.replace(epochs=1))
    settings = [Settings(epochs=1, seed=seed) for seed in range(3)]
    reports = []

    def on_epoch(epoch, epochs, metrics):
        reports.append((epoch, epochs))

    outcomes = list(run_seeds([variant] * 3, data, settings, on_epoch))
    assert len(outcomes) == 3
    # A network of 5,121 weights: two of them are more than 6,000, and the third is trained by itself.
    assert reports == [(1, 2), (2, 2), (1, 1)]
