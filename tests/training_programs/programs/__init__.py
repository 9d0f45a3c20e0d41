"""Small training programs as people write them."""

from .program import ALL, BACKEND, Program
from .registry import programs, programs_of_this_backend

__all__ = ["ALL", "BACKEND", "Program", "programs", "programs_of_this_backend"]
