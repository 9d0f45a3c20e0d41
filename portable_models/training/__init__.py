"""Recipes, and training by them the same way on every backend."""

from portable_models.training.checkpoint import Checkpoint
from portable_models.training.compiling import compile_model
from portable_models.training.cross_validation import CrossValidation, cross_validate
from portable_models.training.engines.changes import ChangedModelWarning
from portable_models.training.fit import fit
from portable_models.training.fit_many import Member, fit_many
from portable_models.training.history import History, Training, mean_history
from portable_models.training.jobs import OrderWarning
from portable_models.training.measuring import evaluate, predict
from portable_models.training.probe import batch_digests
from portable_models.training.programs.group import NotCompiledWarning
from portable_models.training.recipe import Recipe
from portable_models.training.requirements import LossWarning, RecipeCompilesWarning
from portable_models.training.rounding import round_otherwise
from portable_models.training.train import TrainingInterrupted
from portable_models.training.weights import perturb_last_bit, weights_digest

__all__ = [
    "ChangedModelWarning",
    "Checkpoint",
    "CrossValidation",
    "History",
    "LossWarning",
    "Member",
    "NotCompiledWarning",
    "OrderWarning",
    "Recipe",
    "RecipeCompilesWarning",
    "Training",
    "TrainingInterrupted",
    "batch_digests",
    "compile_model",
    "cross_validate",
    "evaluate",
    "fit",
    "fit_many",
    "mean_history",
    "perturb_last_bit",
    "predict",
    "round_otherwise",
    "weights_digest",
]
