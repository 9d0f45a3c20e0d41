"""Run jobs on the engine that can, and give back their histories."""

from __future__ import annotations

import contextlib
import itertools
import threading
import warnings
from collections.abc import Iterator, Sequence

from portable_models._backend import current
from portable_models.cache import programs_folder
from portable_models.training.background import background_work
from portable_models.training.digests import Digests, digests_of
from portable_models.training.engines.changes import ChangedModelWarning, changes, remember
from portable_models.training.engines.choosing import Chosen, choose
from portable_models.training.engines.engine import Job
from portable_models.training.error_hints import explained
from portable_models.training.history import Training
from portable_models.training.programs.group import NotCompiledWarning

_ONE_AT_A_TIME = threading.RLock()


@contextlib.contextmanager
def one_training() -> Iterator[None]:
    """Let one thread of the process train at a time; another one waits.

    Tracing and PyTorch's compiler keep state that all threads share.
    """
    with _ONE_AT_A_TIME:
        yield


def train(
    jobs: Sequence[Job], *, engine: str, prove: bool = True, warn: bool = False
) -> list[Training]:
    """Train jobs that are alike.

    Args:
        jobs: at least one, compiled.
        engine: ``"compiled"`` or ``"keras"``.
        prove: digest what goes in.
        warn: warn where ``Model.fit`` runs what was to be compiled.

    Raises:
        ValueError: an unknown engine.
        TrainingInterrupted: Ctrl-C was pressed; it holds the histories so far.
    """
    with current().programs_kept(programs_folder), background_work() as work:
        changed = changes(jobs[0].model) if warn and engine == "compiled" else ""
        chosen = choose(engine, jobs, work if prove else None)
        if changed and chosen.engine.name == "compiled":
            warnings.warn(
                f"the model was changed since its last training, without compile(): {changed}. Model.fit "
                "would go on with the step that it traced then; this training takes the change. Call "
                "compile() after a change, so that both train alike.",
                ChangedModelWarning,
                stacklevel=3,
            )
        if warn and chosen.reason and not chosen.quiet:
            warnings.warn(
                f"Model.fit runs this training, {chosen.reason}", NotCompiledWarning, stacklevel=3
            )
        digests = [
            digests_of(job, delivered, work) if delivered else {}
            for job, delivered in itertools.zip_longest(jobs, chosen.delivered)
        ]
        for job in jobs:
            if job.keeper is not None:
                job.history.update(job.keeper.restore())
        work.start()
        try:
            with explained():
                chosen.engine.run(jobs)
        except KeyboardInterrupt:
            raise TrainingInterrupted(_outcomes(jobs, chosen, digests)) from None
        for job in jobs:
            remember(job.model)
        return _outcomes(jobs, chosen, digests)


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a training; the models hold the weights after the last epoch of their histories.

    Args:
        trainings: one for each member, with the epochs that ran.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        epochs = sum(len(next(iter(each.history.values()), [])) for each in trainings)
        super().__init__(f"interrupted after {epochs} epochs; their history is in .trainings")
        self.trainings = trainings


def _outcomes(jobs: Sequence[Job], chosen: Chosen, digests: Sequence[Digests]) -> list[Training]:
    return [_outcome(job, chosen, proof) for job, proof in zip(jobs, digests, strict=True)]


def _outcome(job: Job, chosen: Chosen, proof: Digests) -> Training:
    kept = getattr(job.model, "history", None)
    params = getattr(kept, "params", None) or {}
    epochs = list(range(job.settings.initial_epoch, job.done))
    if chosen.engine.name == "keras" and job.keeper is None and job.given is not None:
        # A callback such as BackupAndRestore may have begun elsewhere.
        epochs = list(getattr(kept, "epoch", epochs))
    return Training(
        job.history,
        engine=chosen.engine.name,
        engine_reason=chosen.reason or chosen.engine.failure(job),
        digests={name: wait() for name, wait in proof.items()},
        compile_seconds=chosen.engine.compile_seconds,
        epoch=epochs,
        params=dict(params),
        apart_because=chosen.engine.apart_because(job),
        model=job.model,
    )
