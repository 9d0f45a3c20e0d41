"""The settings of a certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backends_matrix.certify.margin import Margin
from backends_matrix.errors import CallError
from backends_matrix.run.cell import BACKENDS, ENGINES, Cell
from backends_matrix.run.settings import DEFAULT_TIMEOUT, MatrixSettings
from portable_models.data.pipelines import PIPELINES

DEFAULT_ALPHA = 0.05
DEFAULT_POWER = 0.9
DEFAULT_PILOT = 8
DEFAULT_MOST_SEEDS = 128
MOST_SEEDS = 100_000
"""The most that a certificate may hold."""
FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Side:
    """One of the sides that are compared: trainings that differ in nothing but the seed.

    Args:
        backend: jax, tensorflow or torch.
        pipeline: how samples reach Keras.
        engine: compiled or keras.
    """

    backend: str
    pipeline: str = "numpy"
    engine: str = "compiled"

    @property
    def name(self) -> str:
        """The side for people: the backend, and what is not the default."""
        extras = [self.pipeline] if self.pipeline != "numpy" else []
        extras += [self.engine] if self.engine != "compiled" else []
        return "/".join([self.backend, *extras])


@dataclass(frozen=True, kw_only=True)
class CertifySettings:
    """What is asked of a certificate.

    Args:
        out: folder that gets ``certificate.json``, the pictures, and one folder per training.
        margins: metric -> its margin, declared before the run. A metric is the last epoch's value of one in
            the history, or one that is measured after the training.
        backends: sides are every combination of backend, pipeline and engine; the first is the reference.
        pipelines: how samples reach Keras.
        engines: compiled or keras.
        seeds: pairs of trainings, at least 2; None asks a pilot.
        alpha: error rate of all claims of the certificate together.
        power: the probability of showing that equal sides are equivalent, for which a pilot finds the seeds.
        pilot: seeds of the pilot, whose results are not used again.
        most_seeds: the largest number of seeds that a pilot may ask for.
        first_seed: the first seed; seeds follow each other.
        data: sample, full or a path.
        epochs: number of epochs; None runs the recipe's own.
        device: cpu, gpu or tpu.
        jobs: workers that run at a time; None decides by the number of cores.
        timeout: seconds without a finished epoch after which a training is given up.
        resume: keep the finished trainings of an earlier run in ``out``.
        trust: unpickle data files of unknown hash.
        setup: backend -> ``package.module:function`` called in its worker once keras is imported.

    Raises:
        CallError: a number out of its range, or no two sides are left to compare.
    """

    out: Path
    margins: Mapping[str, Margin]
    backends: Sequence[str] = BACKENDS
    pipelines: Sequence[str] = ("numpy",)
    engines: Sequence[str] = ("compiled",)
    seeds: int | None = None
    alpha: float = DEFAULT_ALPHA
    power: float = DEFAULT_POWER
    pilot: int = DEFAULT_PILOT
    most_seeds: int = DEFAULT_MOST_SEEDS
    first_seed: int = 0
    data: str = "sample"
    epochs: int | None = None
    device: str = "cpu"
    jobs: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    resume: bool = False
    trust: bool = False
    setup: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.margins:
            raise CallError(
                "no metric is given; expected for instance --metric val_loss --margin 2%"
            )
        for metric, margin in self.margins.items():
            margin.check_metric(metric)
        for name, value in (("alpha", self.alpha), ("power", self.power)):
            # NaN is in no range.
            if not (0 < value < 1 and math.isfinite(value)):
                raise CallError(f"{name} must be between 0 and 1; got {value:g}")
        if self.alpha >= 0.5:
            raise CallError(f"alpha must be below 0.5, 0.05 for instance; got {self.alpha:g}")
        for name, count in (
            ("seeds", self.seeds),
            ("pilot", self.pilot),
            ("most_seeds", self.most_seeds),
        ):
            if count is not None and not FEWEST_SEEDS <= count <= MOST_SEEDS:
                raise CallError(
                    f"{name} must be from {FEWEST_SEEDS} to {MOST_SEEDS:,}; got {count:,}"
                )
        for what, given, known in (
            ("backend", self.backends, BACKENDS),
            ("pipeline", self.pipelines, tuple(PIPELINES)),
            ("engine", self.engines, ENGINES),
        ):
            for name in given:
                if name not in known:
                    raise CallError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")

    @property
    def sides(self) -> list[Side]:
        """The sides; the first is the reference."""
        return list(
            dict.fromkeys(
                Side(backend, pipeline, engine)
                for backend in self.backends
                for pipeline in self.pipelines
                for engine in self.engines
            )
        )

    def matrix_settings(self) -> MatrixSettings:
        """The same for the run machinery of the matrix."""
        return MatrixSettings(
            out=self.out,
            backends=tuple(self.backends),
            pipelines=tuple(self.pipelines),
            data=self.data,
            device=self.device,
            jobs=self.jobs,
            timeout=self.timeout,
            resume=self.resume,
            replicas=0,
            trust=self.trust,
            setup=self.setup,
        )

    def cell(self, experiment: str, variant: str, side: Side, seed: int) -> Cell:
        """The training of one side with one seed."""
        return Cell(
            experiment=experiment,
            variant=variant,
            backend=side.backend,
            pipeline=side.pipeline,
            device=self.device,
            engine=side.engine,
            data=self.data,
            epochs=self.epochs,
            seed=seed,
            trust=self.trust,
        )
