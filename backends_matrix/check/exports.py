"""Rows for every export target, each verified in the target's own runtime."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from backends_matrix.check.result import Check, Kind, Status
from portable_models.export import (
    ROUTES,
    ExportError,
    ExportResult,
    MissingPackageError,
    Order,
    export_many,
)
from portable_models.export import Status as Outcome
from portable_models.export.routes import check_packages


def export_rows(model: Path, folder: Path, root: str, module: str) -> Iterator[Check]:
    """Export a model to every target and verify it there.

    Args:
        model: a ``.keras`` file of it.
        folder: gets the artifacts.
        root: folder that the model's own classes are imported from, or "".
        module: the module that registers them, or "".
    """
    imports = (module,) if module else ()
    orders: list[Order] = []
    for target, route in ROUTES.items():
        suffix = "" if route.artifact == "/" else route.artifact
        try:
            check_packages(route)
        except MissingPackageError as error:
            yield Check(f"export {target}", route.hub, Status.SKIP, cause=str(error))
            continue
        orders.append(Order(model, target, folder / f"to_{target}{suffix}", imports=imports))
    try:
        with _importable(root):
            results = export_many(orders) if orders else []
    except ExportError as error:
        yield Check("export", "", Status.FAIL, Kind.KERAS, str(error))
        return
    for order, result in zip(orders, results, strict=True):
        yield _row(order, result)


def _row(order: Order, result: ExportResult) -> Check:
    name, hub = f"export {order.target}", order.route.hub
    # A gradient that does not decide says nothing of the row.
    deciding = [each for each in result.checks if each.decides]
    worst = max(deciding, key=lambda each: each.difference or 0.0, default=None)
    difference = worst.difference if worst else None
    tolerance = worst.tolerance if worst else None
    if result.status is Outcome.VERIFIED:
        return Check(name, hub, Status.PASS, difference=difference, tolerance=tolerance)
    if result.status is Outcome.REFUSED:
        return Check(name, hub, Status.SKIP, cause=result.reason)
    return Check(
        name,
        hub,
        Status.FAIL,
        Kind.KERAS,
        result.reason,
        difference=difference,
        tolerance=tolerance,
    )


@contextlib.contextmanager
def _importable(root: str) -> Iterator[None]:
    """Let this process find, and child processes import, what lies in a folder."""
    if not root:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (root, before) if part)
    sys.path.insert(0, root)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(root)
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
