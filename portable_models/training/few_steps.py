"""A few steps of a training, run by ``Model.fit``: what a second run must repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portable_models.data.samples import Array
from portable_models.random import portable_random
from portable_models.training.engines.choosing import choose
from portable_models.training.engines.engine import Job
from portable_models.training.states import values

STEPS = 3
LARGEST_BATCH = 32


def run_few_steps(job: Job) -> dict[str, Array]:
    """Train a job's model for a few small batches, without its callbacks and validation.

    Args:
        job: a job that has not run yet; its model is trained.

    Returns:
        The metrics of the short epoch by name, and the variables afterwards by ``variable/`` and their path;
        those of a seed generator are left out.
    """
    batch = min(job.settings.batch_size, LARGEST_BATCH)
    rows = job.rows.subset(np.arange(min(STEPS * batch, len(job.rows))))
    settings = replace(job.settings, epochs=1, batch_size=batch, callbacks=())
    short = replace(
        job,
        samples=rows,
        settings=settings,
        validation=None,
        on_epoch=None,
        keeper=None,
        history={},
    )
    with portable_random(settings.seed):
        choose("keras", [short]).engine.run([short])
    found = {name: np.asarray(points, np.float64) for name, points in short.history.items()}
    # The states of seed generators are unsigned.
    kept = [each for each in job.model.variables if not str(each.dtype).startswith("uint")]
    return found | {
        f"variable/{number}/{variable.path}": array
        for number, (variable, array) in enumerate(zip(kept, values(kept), strict=True))
    }
