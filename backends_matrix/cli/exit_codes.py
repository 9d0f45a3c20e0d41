"""Exit codes: 1 says that a difference was found, and nothing else does.

Whatever else goes wrong is 2 (the call is wrong) or 3 (it could not be run or decided), with one line on
standard error. A fault of this program leaves a file with its traceback. The code of a
verdict is decided in ``report/assembly.py`` (runs), ``check/result.py`` and ``export/result.py``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

import click

from backends_matrix.cli.messages import complain
from backends_matrix.errors import CallError, RunError
from backends_matrix.report.json_file import ReportError
from backends_matrix.run.interruption import raise_on_signals

EXIT_DIFFERENCE, EXIT_CALL, EXIT_RUN = 1, 2, 3


def run_guarded(command: Callable[[], Any]) -> int:
    """Run a command and give the exit code of the process.

    Args:
        command: gives an exit code or nothing, or raises; ``sys.exit`` counts as its exit code.
    """
    try:
        with raise_on_signals():
            code = _run(command)
    except KeyboardInterrupt:  # one that came between the handlers
        code = _interrupted()
    return _flush(code)


def _run(command: Callable[[], Any]) -> int:
    try:
        found = command()
        return found if isinstance(found, int) else 0
    except SystemExit as end:
        return _code_of(end)
    except CallError as error:
        complain(str(error))
        return EXIT_CALL
    except click.Abort:
        return _interrupted()
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"; see '{context.command_path} --help'" if context is not None else ""
        complain(error.format_message() + hint)
        return EXIT_CALL
    except (RunError, ReportError) as error:
        complain(str(error))
        return EXIT_RUN
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # Nobody reads what is printed, which is no fault of the command's, but its outcome is not known.
        return EXIT_RUN
    except OSError as error:
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return EXIT_RUN
    except MemoryError:
        complain(
            "there is not enough memory; close other programs, or run fewer workers with --jobs 1"
        )
        return EXIT_RUN
    except BaseExceptionGroup as errors:
        return _of_group(errors)
    except Exception as error:
        return _crashed(error)


def _code_of(end: SystemExit) -> int:
    if isinstance(end.__context__, BrokenPipeError):
        # click exits with 1 where nobody reads its output.
        return EXIT_RUN
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    complain(str(end.code))
    return EXIT_RUN


def _of_group(errors: BaseExceptionGroup[BaseException]) -> int:
    """Several tasks failed: what a user can do something about goes first."""
    known, rest = errors.split((CallError, RunError, ReportError, OSError, KeyboardInterrupt))
    first = known or rest or errors
    error: BaseException = first
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]

    def again() -> None:
        raise error

    return _run(again)


def _interrupted() -> int:
    complain("interrupted; what had been written is kept")
    return EXIT_RUN


def _crashed(error: Exception) -> int:
    """Write the traceback to a file and name it."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    try:
        handle, path = tempfile.mkstemp(prefix="portable-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{sys.argv}\nPython {sys.version}\n\n")
            file.write("".join(traceback.format_exception(error)))
        where = f"the details are in {path}; please report it with that file"
    except OSError as fault:
        where = f"the details could not be written ({fault.strerror})"
    complain(f"this is a fault of portable itself: {what}; {where}")
    return EXIT_RUN


def _flush(code: int) -> int:
    """Write out what is still to be printed; an output that takes no more does not pass for success."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _discard(stream)
        except (OSError, ValueError) as error:
            _discard(stream)
            if stream is sys.stdout and code != EXIT_DIFFERENCE:
                complain(
                    f"standard output cannot be written to: {getattr(error, 'strerror', error)}"
                )
                code = EXIT_RUN
    return code


def _discard(stream: Any) -> None:
    """Discard a stream's buffer. Python would fail to write it at exit, and exit with 120."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return
