"""The child process of one backend: imports keras once and runs many cells.

It reads one command as a JSON line from standard input and answers events as lines on the standard
output that it was started with (see ``protocol.py``). Results go to files. Whatever a framework prints
goes to standard error, which the parent keeps as a log; nothing is ever read out of that log.

    {"do": "describe", "experiment": ..., "data": ..., "trust": ...}     ->  described
    {"do": "identify", "cell": ...}                                      ->  identified
    {"do": "run", "cell": {...}, "checkpoint": n or null}                ->  epoch …, done
    {"do": "run_seeds", "cells": [...]}                                  ->  epoch …, done
    {"do": "rebuild", "cell": ...}                                       ->  rebuilt
    {"do": "repeat", "cell": ...}                                        ->  repeated
    {"do": "record", "cell": ..., "folder": ...}                         ->  epoch …, recorded
    {"do": "replay", "cell": ..., "folder": ..., "name": ..., "moves": n}  ->  replayed
    {"do": "parts", "cell": ..., "folder": ..., "step": n, "target": ..., "judge": ...}  ->  parted
    {"do": "claim", "experiment": ..., "number": n, "outcomes": {...}}   ->  claim

It sets nothing of its environment: the parent has done that before it started.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from backends_matrix.judge.double_precision import compute_in_float64
from backends_matrix.run.cards import describe_accelerator
from backends_matrix.run.cell import Cell
from backends_matrix.run.error_text import describe_error, one_line
from backends_matrix.run.parent_death import CommandReader, die_with_parent
from backends_matrix.run.protocol import encode_event
from backends_matrix.run.setup_hook import load_setup_function
from backends_matrix.run.worker_commands import Commands

if TYPE_CHECKING:
    pass


class Channel:
    """The pipe to the parent.

    Args:
        stream: one line for each event.
        token: what each line begins with.
    """

    def __init__(self, stream: IO[str], token: str) -> None:
        self._stream = stream
        self._token = token

    def send(self, event: str, **fields: Any) -> None:
        """Write one event.

        Raises:
            SystemExit: the parent is gone, so there is nobody to work for.
        """
        try:
            self._stream.write(encode_event(self._token, event, fields))
            self._stream.flush()
        except BrokenPipeError:
            raise SystemExit(1) from None


def prepare_keras(device: str, threads: int, setup: str, double: bool) -> dict[str, Any]:
    """Import keras, settle every setting that changes numbers, and return versions and settings.

    Args:
        device: cpu, gpu or tpu.
        threads: bound on the framework's threads.
        setup: ``package.module:function`` called once keras is imported, or "".
        double: compute in float64.

    Raises:
        DeviceNotFoundError: the device is not there.
        SetupError: the function of the user's own cannot be found, or raises.
    """
    # Imports make about a million objects that all stay. Looking for garbage among them takes up to half of
    # the start and the end of a process, and only the worker runs in this one.
    gc.disable()
    import keras
    import numpy as np

    from portable_models._backend import current

    gc.freeze()
    gc.enable()
    # A user's keras.json holds for the user's own programs. Two machines must not differ by it.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    if double:
        compute_in_float64()
    backend = current()
    backend.bound_threads(threads)
    backend.require_device(device)
    environment = {
        "backend": backend.name,
        "keras": keras.__version__,
        "numpy": np.__version__,
        **backend.versions(),
        "device": device,
        **describe_accelerator(backend),
        "threads": threads,
        "precision": dict(backend.require_full_precision()),
        "keras_settings": {
            "floatx": keras.config.floatx(),
            "epsilon": keras.config.epsilon(),
            "image_data_format": keras.config.image_data_format(),
        },
    }
    if setup:
        environment["setup"] = setup
        _call_setup(setup)
    return environment


class SetupError(Exception):
    """The function of the user's own that prepares a worker cannot be called."""


def _call_setup(path: str) -> None:
    try:
        load_setup_function(path)()
    except Exception as error:
        traceback.print_exc()
        raise SetupError(f"--setup {path} failed: {describe_error(error)}") from error


def serve(channel: Channel, reader: CommandReader, arguments: argparse.Namespace) -> None:
    """Answer commands until standard input ends, as it does when the parent is gone."""
    from portable_models._backend import DeviceNotFoundError

    chosen = (arguments.device, arguments.threads, arguments.setup, arguments.double)
    try:
        environment = prepare_keras(*chosen)
    except (DeviceNotFoundError, SetupError) as error:
        channel.send("unavailable", reason=_without_type(error))
        return
    commands = Commands(channel.send, arguments.cells, environment)
    channel.send("ready", environment=environment)
    for line in reader.lines():
        try:
            answer = _answer(commands, json.loads(line))
        except Exception as error:  # answered, so that the parent does not wait for it
            traceback.print_exc()
            answer = {
                "event": "error",
                "reason": describe_error(error),
                "kind": type(error).__name__,
            }
        reader.mark_idle()
        channel.send(**answer)


def _without_type(error: Exception) -> str:
    return str(error) if isinstance(error, SetupError) else one_line(error)


def _answer(commands: Commands, command: dict[str, Any]) -> Mapping[str, Any]:
    name = command.pop("do")
    if "cell" in command:
        command["cell"] = Cell.from_json(command["cell"])
    if "cells" in command:
        command["cells"] = [Cell.from_json(cell) for cell in command["cells"]]
    answer: Mapping[str, Any] = getattr(commands, name)(**command)
    # What cannot be written as JSON must fail here, where it is still an answer.
    json.dumps(answer)
    return answer


def main() -> None:
    """Keep the standard output for events, point it at the log for everyone else, and serve."""
    parser = argparse.ArgumentParser(prog="python -m backends_matrix.run.worker")
    parser.add_argument("--token", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--setup", default="")
    parser.add_argument("--double", action="store_true")
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    commands = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    # A study that reads standard input must find it empty, and not take commands.
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    serve(Channel(stream, arguments.token), CommandReader(commands), arguments)


if __name__ == "__main__":
    main()
