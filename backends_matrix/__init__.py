"""The matrix of runs that proves a model means the same on every backend."""

from backends_matrix.matrix import MatrixSettings, matrix

__all__ = ["MatrixSettings", "matrix"]
