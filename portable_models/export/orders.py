"""One export that is asked for, checked before any process starts."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portable_models.export import loading, staging
from portable_models.export.errors import ExportError
from portable_models.export.probes import EXPORTED_BATCH
from portable_models.export.routes import Route, check_packages, check_path, route_to
from portable_models.export.sample import read_sample


@dataclass(frozen=True)
class Order:
    """What to export, where to, and how.

    Args:
        model: a ``.keras`` file.
        target: the target's name.
        out: where the artifact goes.
        source: the backend to take the reference from; None for what the file says.
        batch: rows of the exported batch.
        verify: whether the artifact is run and compared.
        force: whether something at ``out`` is replaced.
        imports: modules that register the model's own classes.
        facts: what the model card says of the training: ``{"classes": [...], "metrics": {...}, ...}``.
        measured: an ``.npz`` file and its description, when the reference was taken already.
        sample: an ``.npz`` file with the user's own inputs.
        sizes: sizes that free axes get, in the artifact too: ``{"length": 64}``.
        allow_random: whether an artifact may stand whose outputs are random and were not compared.
        trainable: whether the gradients of a SavedModel decide too.
    """

    model: Path
    target: str
    out: Path
    source: str | None = None
    batch: int = EXPORTED_BATCH
    verify: bool = True
    force: bool = False
    imports: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    measured: tuple[Path, Mapping[str, Any]] | None = None
    sample: Path | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    allow_random: bool = False
    trainable: bool = False

    @property
    def route(self) -> Route:
        """The way to the target."""
        return route_to(self.target)

    @property
    def gradients_decide(self) -> bool:
        """Whether the artifact stands or falls by its gradients: it is made to be trained further."""
        return self.route.trained_further or self.trainable


@dataclass(frozen=True)
class Reference:
    """Which backend the source model is run on, and why that one."""

    backend: str
    reason: str


def check(order: Order) -> None:
    """Find what is wrong with the order before any work is done.

    Raises:
        ExportError: an unknown target, a wrong path, an artifact in the way.
        MissingPackageError: a package that the route needs is not installed.
    """
    check_path(order.route, order.out)
    staging.check_free(order.out, force=order.force)
    check_packages(order.route)
    for axis, size in order.sizes.items():
        if size < 1:
            raise ExportError(f"the size of {axis!r} must be a whole number from 1, got {size}")
    if order.sample is not None:
        read_sample(order.sample)


def reference_of(order: Order, origin: loading.Origin) -> Reference:
    """The backend that the source model is run on.

    It is the one that the model was trained on where that is known and installed, else the route's hub.
    """
    wanted = order.source or origin.backend
    if wanted is None:
        return Reference(order.route.hub, "the file does not say which backend wrote it")
    if origin.strings and wanted != "tensorflow":
        return Reference(
            "tensorflow", "the model takes words, which only TensorFlow has tensors of"
        )
    if importlib.util.find_spec(wanted) is None:
        return Reference(order.route.hub, f"{wanted}, which wrote the file, is not installed here")
    return Reference(wanted, "the backend that wrote the file" if not order.source else "asked for")
