"""The matrix of runs that proves a model means the same on every backend."""

from backends_matrix.matrix import matrix
from backends_matrix.plan import MatrixSettings

__all__ = ["MatrixSettings", "matrix"]
