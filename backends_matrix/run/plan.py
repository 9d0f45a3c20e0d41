"""Plan the cells of a matrix from its settings and the descriptions of its experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backends_matrix.errors import CallError
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import installed
from backends_matrix.run.settings import MatrixSettings

Descriptions = Mapping[str, Mapping[str, Any]]


def plan_cells(descriptions: Descriptions, settings: MatrixSettings, reference: str) -> list[Cell]:
    """Every cell of the matrix, replicas included.

    Args:
        descriptions: experiment as it was asked for -> what the worker said of it.
        settings: what is asked for.
        reference: the reference backend.

    Raises:
        CallError: a variant that no experiment has.
    """
    known = {
        name: [each["name"] for each in entry["variants"]] for name, entry in descriptions.items()
    }
    _check_variants(known, settings)
    others = [each for each in settings.backends if each != reference and installed(each)]
    numbers = _replicas(settings.replicas, reference, others)
    cells = []
    for experiment, variants in known.items():
        for variant in variants:
            if settings.variants and variant not in settings.variants:
                continue
            for backend in settings.backends:
                for pipeline in settings.pipelines:
                    first = pipeline == settings.pipelines[0]
                    for replica in (0, *(numbers.get(backend, ()) if first else ())):
                        cells.append(
                            make_cell(experiment, variant, backend, pipeline, replica, settings)
                        )
    return cells


def _replicas(count: int, reference: str, others: Sequence[str]) -> dict[str, range]:
    """Backend -> the numbers of its replicas; no number occurs twice, as each moves numbers its own way."""
    own = (count + 1) // 2 if others else count
    return {
        reference: range(1, own + 1),
        **{name: range(own + 1, count + 1) for name in others[:1]},
    }


def make_cell(
    experiment: str,
    variant: str,
    backend: str,
    pipeline: str,
    replica: int,
    settings: MatrixSettings,
) -> Cell:
    """One cell of what is asked for."""
    epochs = settings.epochs
    return Cell(
        experiment=experiment,
        variant=variant,
        backend=backend,
        pipeline=pipeline,
        device=settings.device,
        engine=settings.engine,
        replica=replica,
        data=settings.data,
        epochs=epochs.get(f"{experiment}/{variant}", epochs.get(experiment, epochs.get(""))),
        seed=settings.seed,
        trust=settings.trust,
    )


def _check_variants(known: Mapping[str, Sequence[str]], settings: MatrixSettings) -> None:
    every = list(dict.fromkeys(variant for variants in known.values() for variant in variants))
    for variant in settings.variants:
        if variant not in every:
            raise CallError(f"unknown variant {variant!r}: expected one of {', '.join(every)}")
    for place in filter(None, settings.epochs):
        experiment, _, variant = place.partition("/")
        if experiment not in known or (variant and variant not in known[experiment]):
            places = [f"{name}/{each}" for name, variants in known.items() for each in variants]
            raise CallError(
                f"--epochs names {place!r}: expected one of {', '.join([*known, *places])}"
            )
