"""Why a model fails: what happened, and what its source says."""

from backends_matrix.check.diagnosis.blame import Explanation, explain_difference, explain_failure
from backends_matrix.check.diagnosis.source import read_suspicions
from backends_matrix.check.diagnosis.suspicion import Suspicion

__all__ = [
    "Explanation",
    "Suspicion",
    "explain_difference",
    "explain_failure",
    "read_suspicions",
]
