"""``export``: one model, one target, one result."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from portable_models.export.exporting import export_many
from portable_models.export.orders import Order, check
from portable_models.export.probes import EXPORTED_BATCH
from portable_models.export.result import ExportResult


def export(
    model: Any,
    to: str,
    out: str | PathLike[str],
    *,
    verify: bool = True,
    batch: int = EXPORTED_BATCH,
    source: str | None = None,
    force: bool = False,
    imports: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    sample: str | PathLike[str] | None = None,
    sizes: Mapping[str, int] | None = None,
    allow_random: bool = False,
    trainable: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> ExportResult:
    """Export a model to a target and prove it there.

    The work is done in child processes: one with Keras on the route's hub, one with Keras on the model's
    own backend for the expected numbers, one without Keras that runs the artifact in its own runtime.

    Args:
        model: a ``.keras`` file, or a built Keras model of this process.
        to: the target: ``saved_model``, ``torch``, ``torch-module``, ``onnx``, ``jax``, ``openvino`` or
            ``litert``.
        out: where the artifact goes; its model card goes beside it (``OUT.card.json``, ``OUT.card.md``).
        verify: run the artifact and compare; without it the result is ``unverified``.
        batch: rows of the batch that latency is measured at, beside 1 and another; the artifact takes any.
        source: the backend that the expected numbers come from; by default the one that wrote the file.
        force: replace what is at ``out``.
        imports: modules that register the model's own classes; found by themselves for a live model.
        facts: what the card says of the training, over what the file itself says: ``classes``, ``metrics``, …
        sample: an ``.npz`` file with inputs as the model meets them, named as the inputs; compared besides
            the drawn ones.
        sizes: sizes for axes that are free, in the artifact too: ``{"length": 64}``, ``{"image.1": 32}``.
        allow_random: let an artifact stand whose outputs are random; they are not compared.
        trainable: let gradients of a SavedModel decide too; those of ``jax`` and ``torch-module`` always do.
        progress: called with a line for each stage.

    Returns:
        The result. Its status is ``verified``, ``unverified``, ``different`` (the artifact was removed),
        ``refused`` (the target cannot hold the model) or ``failed``; read ``reason``.

    Raises:
        ExportError: the call is wrong: unknown target, no such file, something at ``out``.
        MissingPackageError: a package that the route needs is not installed; the message names the extra.

    Example::

        result = export("model.keras", "onnx", "model.onnx")
        assert result.status == "verified"
    """
    with contextlib.ExitStack() as stack:
        measured = None
        file, modules = model, tuple(imports)
        if not isinstance(model, str | PathLike):
            from portable_models.export import live

            check(Order(Path(), to, Path(out), force=force))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portable-live-")))
            file, found, measured = live.take(
                model,
                folder,
                batch,
                measure=verify,
                sample=Path(sample) if sample else None,
                sizes=sizes,
            )
            modules = tuple(dict.fromkeys((*modules, *found)))
        order = Order(
            model=Path(file),
            target=to,
            out=Path(out),
            source=source,
            batch=batch,
            verify=verify,
            force=force,
            imports=modules,
            facts=facts or {},
            measured=measured,
            sample=Path(sample) if sample else None,
            sizes=dict(sizes or {}),
            allow_random=allow_random,
            trainable=trainable,
        )
        (result,) = export_many([order], progress=progress)
        return result
