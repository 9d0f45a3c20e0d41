"""Experiments: data, models, recipes, figures and published claims, each in one file."""

from portable_models.experiments.claim import Claim, Finding
from portable_models.experiments.experiment import Experiment, UnknownVariantError, Variant
from portable_models.experiments.outcome import Example, Outcome
from portable_models.experiments.procedures import FinalTest, HoldOut, KFold, ValidateOnTest
from portable_models.experiments.registry import UnknownExperimentError, experiment
from portable_models.experiments.run import ExperimentResult, Settings, run, run_seeds, run_variant

__all__ = [
    "Claim",
    "Example",
    "Experiment",
    "ExperimentResult",
    "FinalTest",
    "Finding",
    "HoldOut",
    "KFold",
    "Outcome",
    "Settings",
    "UnknownExperimentError",
    "UnknownVariantError",
    "ValidateOnTest",
    "Variant",
    "experiment",
    "run",
    "run_seeds",
    "run_variant",
]
