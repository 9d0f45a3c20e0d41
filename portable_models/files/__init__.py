"""``.keras`` files that move: neutral to the backend, checked before anything of them is believed.

Importing this imports no framework; ``save`` and ``load`` import Keras when they are called.
"""

from portable_models.files.contents import Contents, describe
from portable_models.files.convert import convert
from portable_models.files.errors import FileError, Limits
from portable_models.files.model_files import load, save
from portable_models.files.neutral import Change
from portable_models.files.passport import Passport, SeedState

__all__ = [
    "Change",
    "Contents",
    "FileError",
    "Limits",
    "Passport",
    "SeedState",
    "convert",
    "describe",
    "load",
    "save",
]
