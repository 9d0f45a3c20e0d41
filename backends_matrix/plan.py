"""What a run of the matrix is asked for, and the cells that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.cell import BACKENDS, Cell
from backends_matrix.environment import installed
from portable_models._cores import cores

DEFAULT_REPLICAS = 3
MOST_REPLICAS = 15
STEPS = ("never", "doubt", "always")
DEFAULT_TIMEOUT = 1800.0


class CallError(Exception):
    """The call is wrong: exit code 2. The message says what was expected, what came, and what to do."""


class RunError(Exception):
    """Nothing could be run: exit code 3."""


@dataclass(frozen=True, kw_only=True)
class MatrixSettings:
    """What a run of the matrix is asked for.

    Args:
        out: folder that gets the report, the figures and one folder per cell.
        backends: the first that is installed is the reference.
        pipelines: how samples reach Keras; the first is the reference's.
        variants: names of variants to run; empty runs all.
        data: sample, full or a path.
        epochs: number of epochs by ``experiment/variant``, ``experiment`` or ``""`` (all).
        seed: added to every recipe's seed.
        engine: compiled or keras.
        device: cpu, gpu or tpu.
        replicas: replicas per variant, which measure the noise floor: half of them, rounded up, on the
            reference, the others on the next backend that is installed.
        most_replicas: how many there may be of a variant in which a difference was found: rounding parts
            trajectories at rare events too, which a few replicas do not meet.
        steps: where single steps are judged in float64 (level 1): never, in doubt (variants in which a
            difference was found), or always.
        jobs: how many workers run at a time; None decides by the number of cores.
        timeout: seconds without a finished epoch after which a cell is given up.
        resume: keep the finished cells of an earlier run in ``out``.
        checkpoint: epochs after which each training is kept, again and again, so that a run that is resumed
            goes on inside of a cell; None keeps finished cells only.
        trust: unpickle data files of unknown hash.
        setup: backend -> ``package.module:function`` called in its worker once keras is imported.
    """

    out: Path
    backends: Sequence[str] = BACKENDS
    pipelines: Sequence[str] = ("numpy",)
    variants: Sequence[str] = ()
    data: str = "sample"
    epochs: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    engine: str = "compiled"
    device: str = "cpu"
    replicas: int = DEFAULT_REPLICAS
    most_replicas: int = MOST_REPLICAS
    steps: str = "doubt"
    jobs: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    resume: bool = False
    checkpoint: int | None = None
    trust: bool = False
    setup: Mapping[str, str] = field(default_factory=dict)

    @property
    def lanes(self) -> int:
        """How many workers run at a time."""
        return max(1, min(len(self.backends), self.jobs or cores()))

    @property
    def threads(self) -> int:
        """Bound on each worker's threads."""
        return max(1, cores() // self.lanes)


Descriptions = Mapping[str, Mapping[str, Any]]


def plan(descriptions: Descriptions, settings: MatrixSettings, reference: str) -> list[Cell]:
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
