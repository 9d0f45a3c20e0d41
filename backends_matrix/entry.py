"""The entry point of the command ``portable``.

It imports next to nothing before it can answer Ctrl-C, and makes sure that there are three standard streams.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Run ``portable``."""
    try:
        # Until the command has handlers of its own.
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        _open_missing_streams()
        from backends_matrix.cli import main as group
    except KeyboardInterrupt:
        sys.stderr.write("portable: error: interrupted before it began\n")
        sys.exit(3)
    except ImportError as error:
        _refuse_unsupported_keras(error)
        raise
    try:
        group()
    except ImportError as error:
        _refuse_unsupported_keras(error)
        raise
    finally:
        # The exit code is known. A signal while Python ends would only print a traceback.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)


def _refuse_unsupported_keras(error: ImportError) -> None:
    """Exit with one line where ``portable_models`` refuses the installed Keras."""
    # By its name: the package that holds the class is what cannot be imported.
    if type(error).__name__ == "UnsupportedKerasError":
        sys.stderr.write(f"portable: error: {error}\n")
        sys.exit(3)


def _open_missing_streams() -> None:
    """Open the standard streams that the caller has closed; the first files opened would take their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, which is this one.
            os.open(os.devnull, os.O_RDWR)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
