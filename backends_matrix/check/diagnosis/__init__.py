"""Why a model fails: what happened, and what its source says."""

from backends_matrix.check.diagnosis.explain import Explanation, explain_difference, explain_failure
from backends_matrix.check.diagnosis.source import Suspicion, read_suspicions

__all__ = [
    "Explanation",
    "Suspicion",
    "explain_difference",
    "explain_failure",
    "read_suspicions",
]
