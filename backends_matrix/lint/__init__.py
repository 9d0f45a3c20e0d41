"""Reading Keras code without running it: what is not portable between JAX, TensorFlow and PyTorch."""

from backends_matrix.lint.engine import lint_text
from backends_matrix.lint.finding import Edit, Finding, Fix
from backends_matrix.lint.run import RunResult, run

__all__ = ["Edit", "Finding", "Fix", "RunResult", "lint_text", "run"]
