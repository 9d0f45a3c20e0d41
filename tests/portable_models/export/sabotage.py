"""Faults planted in a child process: named by ``--import``, so that they are there before it works."""

import importlib
import os
from pathlib import Path

from portable_models.export.routes import ROUTES

FAULT = os.environ["PLANTED_FAULT"]
TARGET = importlib.import_module(ROUTES[os.environ["PLANTED_IN"]].module)
_write = TARGET.write


def write(seen, path, source):
    if FAULT == "weight":
        # A change of 1e-4 in one layer: what a lost digit in a conversion would do.
        kernel = seen.model.trainable_variables[0]
        kernel.assign(kernel * 1.0001)
    made = _write(seen, path, source)
    if FAULT == "garbage":
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file():
                Path(file).write_bytes(b"said OK and holds nothing")
    if FAULT == "crash":
        os._exit(9)
    if FAULT == "raise":
        raise OSError("the disk is full")
    return made


TARGET.write = write
