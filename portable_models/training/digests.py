"""Digests of what goes into a training, some of them made while it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from portable_models._keras.building import is_built
from portable_models.data.order import order_digest
from portable_models.random import dropout_mask_digest, portable_random
from portable_models.training.background import BackgroundWork
from portable_models.training.engines.engine import Job
from portable_models.training.probe import batches_digest
from portable_models.training.weights import weights_digest

Digests: TypeAlias = dict[str, Callable[[], str]]
"""What a digest is of -> what waits for it."""


def digests_of(job: Job, delivered: Callable[[], list[str]], work: BackgroundWork) -> Digests:
    """The digests of a training that has not begun.

    Args:
        job: the training; its model is looked at at once.
        delivered: see ``Engine.read``.
        work: makes the digests that may be made while it trains.
    """
    settings = job.settings
    digests: Digests = {"batches": lambda: batches_digest(delivered())}
    if job.samples is not None:
        order = partial(
            order_digest,
            len(job.samples),
            seed=settings.seed,
            epochs=settings.epochs,
            shuffle=settings.shuffle,
        )
        digests["order"] = work.submit(order)
    if is_built(job.model):
        with portable_random(settings.seed):
            masks = dropout_mask_digest(job.model)
        weights = weights_digest(job.model)
        digests |= {"initial_weights": lambda: weights, "dropout_masks": lambda: masks}
    return digests
