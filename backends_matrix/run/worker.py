"""The child process of one backend: imports keras once and runs many cells.

It reads one command as a JSON line from standard input, answers events as JSON lines on the standard output
that it was started with, and writes results to files. Whatever a framework prints goes to standard error,
which the parent keeps as a log; nothing is ever read out of that log.

    {"do": "describe", "experiments": [...], "data": ..., "trust": ...}  ->  {"event": "described", ...}
    {"do": "run", "cell": {...}, "checkpoint": n or null}  ->  {"event": "epoch", ...} …  {"event": "done"}
    {"do": "record", "cell": ..., "folder": ...}  ->  {"event": "epoch", ...} …  {"event": "recorded"}
    {"do": "replay", "cell": ..., "folder": ..., "name": ..., "moves": n}  ->  {"event": "replayed"}
    {"do": "claims", "experiment": ..., "outcomes": {variant: ...}}      ->  {"event": "claims", ...}

It sets nothing of its environment: the parent has done that before it started.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from backends_matrix.judge.double_precision import compute_in_float64
from backends_matrix.run.cell import Cell
from backends_matrix.run.peak_memory import peak_bytes, reset_peak
from backends_matrix.run.result import CellResult, Status, write_result
from backends_matrix.run.resume import keep_checkpoints
from backends_matrix.run.setup_hook import load_setup_function
from portable_models._collector import imported_for_good

Event = dict[str, Any]


class Worker:
    """Answers commands, one at a time.

    Args:
        channel: where events go, one JSON line each.
        cells: folder of the cells' results.
        device: cpu, gpu or tpu.
        threads: bound on the framework's threads.
        setup: ``package.module:function`` called once keras is imported, or "".
        double: compute in float64.
    """

    def __init__(
        self,
        channel: IO[str],
        cells: Path,
        device: str,
        threads: int,
        setup: str,
        double: bool = False,
    ) -> None:
        self.channel = channel
        self.cells = cells
        self.device = device
        self.threads = threads
        self.setup = setup
        self.double = double
        self.environment: dict[str, Any] = {}
        self._data: dict[tuple[str, str, bool], Any] = {}

    def send(self, event: str, **fields: Any) -> None:
        """Write one event.

        Raises:
            SystemExit: the parent is gone, so there is nobody to work for.
        """
        try:
            self.channel.write(json.dumps({"event": event, **fields}) + "\n")
            self.channel.flush()
        except BrokenPipeError:
            raise SystemExit(1) from None

    def start(self) -> None:
        """Import keras and settle device, threads and precision."""
        with imported_for_good():
            import keras
            import numpy as np

            from portable_models._backend import current
        # This process is nobody else's: what is there now stays until it ends, and needs no look then either.
        gc.freeze()
        keras.config.set_floatx("float32")
        if self.double:
            compute_in_float64()
        backend = current()
        backend.bound_threads(self.threads)
        backend.require_device(self.device)
        self.environment = {
            "backend": backend.name,
            "keras": keras.__version__,
            "numpy": np.__version__,
            **backend.versions(),
            "device": self.device,
            "threads": self.threads,
            "precision": dict(backend.require_full_precision()),
        }
        if self.setup:
            self.environment["setup"] = self.setup
            load_setup_function(self.setup)()

    def describe(self, experiments: list[str], data: str, trust: bool) -> None:
        """Say what the experiments hold; a data set that cannot be read is that experiment's error only."""
        described = {}
        for name in experiments:
            found = self._experiment(name)
            entry: Event = {
                "name": found.name,
                "title": found.title,
                "description": found.description,
                "variants": [
                    {"name": each.name, "title": each.title, "recipe": each.recipe.to_json()}
                    for each in found.variants
                ],
                "figures": [figure.to_json() for figure in found.figures],
                "claims": [
                    {"statement": claim.statement, "published": claim.published}
                    for claim in found.claims
                ],
            }
            try:
                samples = self._samples(name, data, trust)
                entry["data"] = {
                    "kind": samples.kind,
                    "description": samples.description,
                    "synthetic": samples.synthetic,
                    "train": len(samples.train),
                    "test": len(samples.test),
                }
            except ValueError as error:
                entry["error"] = one_line(error)
            described[name] = entry
        self.send("described", experiments=described)

    def run(self, cell: Cell, checkpoint: int | None) -> None:
        """Run one cell and write its result; its trainings are kept every so many epochs meanwhile."""
        import keras

        from portable_models.data.pipelines import PipelineUnavailableError
        from portable_models.experiments import Settings, run_variant

        def on_epoch(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
            self.send("epoch", key=cell.key, epoch=epoch, epochs=epochs, metrics=dict(metrics))

        reset_peak()
        started = time.perf_counter()
        outcome: Mapping[str, Any] = {}
        status, reason = Status.OK, ""
        try:
            variant = self._experiment(cell.experiment).variant(cell.variant)
            samples = self._samples(cell.experiment, cell.data, cell.trust)
            settings = Settings(cell.epochs, cell.seed, cell.pipeline, cell.engine, cell.replica)
            with keep_checkpoints(self.cells / cell.key, checkpoint, self.environment):
                found = run_variant(variant, samples, settings, on_epoch)
            outcome, reason = found.to_json(), found.training.engine_reason
        except PipelineUnavailableError as error:
            status, reason = Status.UNAVAILABLE, one_line(error)
        except Exception as error:  # whatever a user's model raises is that cell's result
            traceback.print_exc()
            status, reason = Status.FAILED, one_line(error)
        seconds = time.perf_counter() - started
        write_result(
            CellResult(cell, status, reason, seconds, peak_bytes(), outcome, self.environment),
            self.cells,
        )
        keras.utils.clear_session(free_memory=False)
        gc.collect()
        self.send("done", key=cell.key)

    def record(self, cell: Cell, folder: str) -> None:
        """Train a cell's first training and write states along the way."""
        from portable_models.training import one_step

        def on_epoch(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
            self.send("epoch", key=cell.key, epoch=epoch, epochs=epochs, metrics=dict(metrics))

        job, engine = self._first_job(cell, on_epoch)
        count = one_step.record(job, engine, Path(folder))
        self.send("recorded", states=count)

    def replay(self, cell: Cell, folder: str, name: str, moves: int) -> None:
        """Compute one step from each recorded state."""
        from portable_models.training import one_step

        job, _ = self._first_job(cell, None)
        one_step.replay(job, Path(folder), Path(folder) / name, moves)
        self.send("replayed")

    def _first_job(self, cell: Cell, on_epoch: Any) -> tuple[Any, str]:
        from portable_models.experiments import Settings, run_variant
        from portable_models.training.first_job import first_job

        variant = self._experiment(cell.experiment).variant(cell.variant)
        samples = self._samples(cell.experiment, cell.data, cell.trust)
        settings = Settings(cell.epochs, cell.seed, cell.pipeline, cell.engine)
        return first_job(lambda: run_variant(variant, samples, settings, on_epoch))

    def claims(self, experiment: str, outcomes: Mapping[str, Any]) -> None:
        """Check an experiment's published claims on one backend's outcomes."""
        from portable_models.experiments import Outcome

        found = self._experiment(experiment)
        read = {variant: Outcome.from_json(value) for variant, value in outcomes.items()}
        findings = []
        for claim in found.claims:
            finding = claim.evaluate(read)
            findings.append(
                {"statement": claim.statement, "published": claim.published, **vars(finding)}
            )
        self.send("claims", experiment=experiment, findings=findings)

    def _experiment(self, name: str) -> Any:
        from portable_models.experiments import experiment

        return experiment(name)

    def _samples(self, experiment: str, data: str, trust: bool) -> Any:
        """The experiment's data set; the last one is kept, as cells of one experiment follow each other."""
        key = (experiment, data, trust)
        if key not in self._data:
            self._data.clear()
            self._data[key] = self._experiment(experiment).load(data, trust)
        return self._data[key]


def one_line(error: BaseException) -> str:
    """An exception as one line: its message, led by its type where that adds something."""
    message = " ".join(str(error).split())
    if isinstance(error, (ValueError, RuntimeError)) and type(error).__module__.startswith(
        "portable_models"
    ):
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def serve(worker: Worker, commands: IO[str]) -> None:
    """Answer commands until standard input ends, as it does when the parent is gone."""
    from portable_models._backend import DeviceNotFoundError

    try:
        worker.start()
    except DeviceNotFoundError as error:
        worker.send("unavailable", reason=one_line(error))
        return
    worker.send("ready", environment=worker.environment)
    for line in commands:
        command = json.loads(line)
        try:
            match command.pop("do"):
                case "describe":
                    worker.describe(**command)
                case "run":
                    worker.run(Cell.from_json(command.pop("cell")), **command)
                case "record" | "replay" as what:
                    cell = Cell.from_json(command.pop("cell"))
                    getattr(worker, what)(cell, **command)
                case "claims":
                    worker.claims(**command)
        except Exception as error:  # answered, so that the parent does not wait for it
            traceback.print_exc()
            worker.send("error", reason=one_line(error), kind=type(error).__name__)


def main() -> None:
    """Keep the standard output for events, point it at the log for everyone else, and serve."""
    parser = argparse.ArgumentParser(prog="python -m backends_matrix.run.worker")
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--setup", default="")
    parser.add_argument("--double", action="store_true")
    arguments = parser.parse_args()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    given = (arguments.device, arguments.threads, arguments.setup, arguments.double)
    worker = Worker(channel, arguments.cells, *given)
    serve(worker, sys.stdin)


if __name__ == "__main__":
    main()
