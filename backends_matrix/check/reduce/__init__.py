"""A failure as a short script that shows it with Keras and NumPy alone."""

from backends_matrix.check.reduce.reducer import reduce_failures

__all__ = ["reduce_failures"]
