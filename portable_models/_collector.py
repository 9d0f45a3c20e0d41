"""Python's garbage collector, kept away from what is no garbage.

Importing Keras and a framework makes about a million objects, and all of them stay. The collector goes
through them again and again while they are made and once more when the process ends: half of the time that a
process which does nothing else takes.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
from collections.abc import Iterator

from portable_models._late import imported_late

FRESH = 60_000
"""Objects in a process that has done little but import something like NumPy."""


@contextlib.contextmanager
def imported_for_good() -> Iterator[None]:
    """For imports of what stays as long as the process does.

    Inside, no garbage is looked for, and modules that are not needed are left for later (``imported_late``).
    Afterwards the collector is as it was; in a process that has just begun, it leaves alone what is there by
    then (``gc.freeze``). Where there was more, it does not: some of that may become garbage, or be a file
    that is written when the collector finds it at the end.
    """
    if not gc.isenabled() or "keras" in sys.modules:
        yield
        return
    fresh = gc.get_freeze_count() == 0 and _fresh()
    gc.disable()
    try:
        with imported_late():
            yield
    finally:
        gc.enable()
        if fresh and "keras" in sys.modules:
            gc.freeze()


def _fresh() -> bool:
    objects = gc.get_objects()
    streams = {id(each) for each in (sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr)}
    return len(objects) < FRESH and not any(
        isinstance(each, io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom)
        and not each.closed
        and each.writable()
        and id(each) not in streams
        for each in objects
    )
