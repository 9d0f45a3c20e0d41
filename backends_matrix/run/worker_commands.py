"""The commands that a worker answers; each gives its last event."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends_matrix.run.cell import Cell
from backends_matrix.run.error_text import describe_error
from backends_matrix.run.identity import BUILT, Identity, digest_project, digest_sources
from backends_matrix.run.model_identity import BuildRecorder, identify_training
from backends_matrix.run.peak_memory import peak_bytes, reset_peak
from backends_matrix.run.protocol import Event
from backends_matrix.run.result import CellResult, Status, write_result
from backends_matrix.run.resume import keep_checkpoints
from backends_matrix.run.seed_cells import results_of_seeds, settings_of
from portable_models.built_in import BUILT_IN


class StudyError(ValueError):
    """A study gives something that no study may give; the message names what."""


class Commands:
    """Answers commands, one at a time.

    Args:
        send: writes an event.
        cells: folder of the cells' results.
        environment: versions and settings, for the results.
    """

    def __init__(
        self, send: Callable[..., None], cells: Path, environment: Mapping[str, Any]
    ) -> None:
        self._send = send
        self._cells = cells
        self._environment = environment
        self._data: dict[tuple[str, str, bool], Any] = {}

    def describe(self, experiment: str, data: str, trust: bool) -> Event:
        """Say what an experiment holds; data that cannot be read are an error of this experiment."""
        found = self._experiment(experiment)
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
            samples = self._samples(experiment, data, trust)
            entry["data"] = {
                "kind": samples.kind,
                "description": samples.description,
                "synthetic": samples.synthetic,
                "train": len(samples.train),
                "test": len(samples.test),
            }
        except Exception as error:  # whatever a user's load() raises
            traceback.print_exc()
            entry["error"] = describe_error(error)
        return {"event": "described", "experiment": entry}

    def run(self, cell: Cell, checkpoint: int | None) -> Event:
        """Run one cell and write its result; its trainings are kept every so many epochs meanwhile."""
        import keras

        from portable_models._backend import current
        from portable_models.data.pipelines import PipelineUnavailableError
        from portable_models.experiments import run_variant

        reset_peak()
        current().reset_device_peak()
        started = time.perf_counter()
        outcome: Mapping[str, Any] = {}
        identity: Identity = {}
        status, reason = Status.OK, ""
        try:
            study = self._experiment(cell.experiment)
            samples = self._samples(cell.experiment, cell.data, cell.trust)
            builds = BuildRecorder(study.variant(cell.variant))
            with keep_checkpoints(
                self._cells / cell.key,
                checkpoint,
                [self._environment, digest_project(), self._sources(cell)],
            ):
                found = run_variant(
                    builds.variant, samples, settings_of(cell), self._reporter(cell)
                )
            outcome, reason = found.to_json(), found.training.engine_reason
            identity = {
                "sources": self._sources(cell),
                "project": digest_project(),
                **builds.identity(outcome["digests"].get("data", "")),
            }
        except PipelineUnavailableError as error:
            status, reason = Status.UNAVAILABLE, describe_error(error)
        except (
            Exception,
            SystemExit,
        ) as error:  # whatever a user's model raises is that cell's result
            traceback.print_exc()
            status, reason = Status.FAILED, describe_error(error)
        seconds = time.perf_counter() - started
        write_result(
            CellResult(
                cell,
                status,
                reason,
                seconds,
                peak_bytes(),
                outcome,
                self._environment,
                identity,
                current().device_peak_bytes(),
            ),
            self._cells,
        )
        keras.utils.clear_session(free_memory=False)
        gc.collect()
        return {"event": "done", "key": cell.key}

    def run_seeds(self, cells: Sequence[Cell]) -> Event:
        """Run a group of cells, trained side by side; results are written as they come.

        Where that fails, every cell without a result is run by itself: one's failure is not another's.
        """
        import keras

        first, left = cells[0], list(cells)
        try:
            study = self._experiment(first.experiment)
            samples = self._samples(first.experiment, first.data, first.trust)
            made = [digest_project(), self._sources(first)]
            for result in results_of_seeds(
                cells, study.variant(first.variant), samples, self._reporter(first)
            ):
                identity = {"sources": made[1], "project": made[0], **result.identity}
                write_result(
                    dataclasses.replace(result, identity=identity, environment=self._environment),
                    self._cells,
                )
                left.remove(result.cell)
        except (
            Exception,
            SystemExit,
        ):  # whatever a user's model raises; each cell says it by itself
            traceback.print_exc()
        keras.utils.clear_session(free_memory=False)
        gc.collect()
        for cell in left:
            self.run(cell, None)
        return {"event": "done", "key": cells[-1].key}

    def identify(self, cell: Cell) -> Event:
        """Build a cell's model as its first training would, and give the digests of what it is built of."""
        study = self._experiment(cell.experiment)
        samples = self._samples(cell.experiment, cell.data, cell.trust)
        identity = identify_training(study.variant(cell.variant), samples, settings_of(cell))
        return {"event": "identified", "identity": identity}

    def rebuild(self, cell: Cell) -> Event:
        """Load the data and build the model twice, and give the parts that are not the same both times."""
        study = self._experiment(cell.experiment)
        first, second = (
            identify_training(
                study.variant(cell.variant), study.load(cell.data, cell.trust), settings_of(cell)
            )
            for _ in range(2)
        )
        return {
            "event": "rebuilt",
            "changes": [part for part in BUILT if first[part] != second[part]],
        }

    def repeat(self, cell: Cell) -> Event:
        """Run the first steps of a cell's first training twice, and give what is not the same both times."""
        import keras

        from backends_matrix.run.repetition import repeat_training

        def first_job() -> Any:
            # Automatic names count the layers made before.
            keras.utils.clear_session(free_memory=False)
            return self._first_job(cell, None)[0]

        found = repeat_training(first_job)
        keras.utils.clear_session(free_memory=False)
        return {"event": "repeated", **found}

    def record(self, cell: Cell, folder: str) -> Event:
        """Train a cell's first training and write states along the way."""
        from portable_models.training import one_step

        job, engine = self._first_job(cell, self._reporter(cell))
        return {"event": "recorded", "states": one_step.record(job, engine, Path(folder))}

    def replay(self, cell: Cell, folder: str, name: str, moves: int) -> Event:
        """Compute one step from each recorded state."""
        from portable_models.training import one_step

        job, _ = self._first_job(cell, None)
        one_step.replay(job, Path(folder), Path(folder) / name, moves)
        return {"event": "replayed"}

    def parts(self, cell: Cell, folder: str, step: int, target: str, judge: str) -> Event:
        """Compute every layer of one recorded step, on the judge's inputs if ``judge`` names its folder."""
        import keras

        from backends_matrix.run.part_replay import replay_parts

        # Layers are known by their paths, and automatic names count the layers made before.
        keras.utils.clear_session(free_memory=False)
        job, _ = self._first_job(cell, None)
        replay_parts(job, Path(folder), step, Path(target), judge)
        return {"event": "parted"}

    def claim(self, experiment: str, number: int, outcomes: Mapping[str, Any]) -> Event:
        """Check one of an experiment's published claims on one backend's outcomes."""
        from portable_models.experiments import Outcome

        claim = self._experiment(experiment).claims[number]
        read = {variant: Outcome.from_json(value) for variant, value in outcomes.items()}
        finding = claim.evaluate(read)
        if not isinstance(finding.measured, str) or finding.holds not in (True, False, None):
            raise StudyError(
                "a claim's check must give a truth value and a text; "
                f"this one gave {finding.holds!r} and {finding.measured!r}"
            )
        return {"event": "claim", "finding": vars(finding)}

    def _first_job(self, cell: Cell, on_epoch: Any) -> tuple[Any, str]:
        from portable_models.experiments import run_variant
        from portable_models.training.first_training import job_of_first_training

        variant = self._experiment(cell.experiment).variant(cell.variant)
        samples = self._samples(cell.experiment, cell.data, cell.trust)
        settings = dataclasses.replace(settings_of(cell), replica=0)
        return job_of_first_training(lambda: run_variant(variant, samples, settings, on_epoch))

    def _reporter(self, cell: Cell) -> Callable[[int, int, Mapping[str, float]], None]:
        def on_epoch(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
            shown = {
                str(name): float(value) for name, value in metrics.items() if math.isfinite(value)
            }
            self._send("epoch", key=cell.key, epoch=int(epoch), epochs=int(epochs), metrics=shown)

        return on_epoch

    def _experiment(self, name: str) -> Any:
        from portable_models.experiments import experiment

        return experiment(name)

    def _sources(self, cell: Cell) -> dict[str, str]:
        return digest_sources(BUILT_IN.get(cell.experiment, cell.experiment).partition(":")[0])

    def _samples(self, experiment: str, data: str, trust: bool) -> Any:
        """The experiment's data set; the last one is kept, as cells of one experiment follow each other.

        Raises:
            StudyError: ``load`` gives no data set, or one without samples.
        """
        from portable_models.data import DataSet

        key = (experiment, data, trust)
        if key not in self._data:
            self._data.clear()
            found = self._experiment(experiment).load(data, trust)
            if not isinstance(found, DataSet):
                raise StudyError(
                    f"load() of {experiment} must give a portable_models.data.DataSet; "
                    f"it gave {type(found).__name__}"
                )
            if not len(found.train):
                raise StudyError(f"load() of {experiment} gave no training samples")
            # A description may hold anything, but it must fit into the report.
            json.dumps([found.kind, found.description, found.synthetic])
            self._data[key] = found
        return self._data[key]
