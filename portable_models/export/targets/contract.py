"""What a target's file has; adding a target is one such file and one row in ``routes.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from portable_models.export.signature import Signature

if TYPE_CHECKING:
    from portable_models.export.inspection import View

Array = NDArray[Any]


@dataclass(frozen=True)
class Opened:
    """An artifact in its own runtime.

    Args:
        call: flat inputs -> flat outputs, NumPy arrays in the signature's order.
        versions: the runtime's packages.
        settings: what the runtime was told about precision.
        weight_gradients: inputs, cotangents of the outputs -> the gradient of each trainable weight, in
            the source model's order; None where the target has no gradients.
    """

    call: Callable[[Sequence[Array]], list[Array]]
    versions: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    weight_gradients: Callable[[Sequence[Array], Sequence[Array]], list[Array]] | None = None


class Target(Protocol):
    """A module with these functions."""

    def write(self, seen: View, path: Path, source: Path) -> dict[str, Any]:
        """Write the artifact to ``path``, in the hub's process.

        Args:
            seen: the model, loaded and prepared as the route says.
            path: where to write; it does not exist, its folder does.
            source: the ``.keras`` file that the model came from.

        Returns:
            ``{"versions": {package: version}}`` of what wrote it.

        Raises:
            RefusedError: the target cannot hold this model.
        """

    def open_artifact(self, path: Path, signature: Signature) -> Opened:
        """Open the artifact in its own runtime; never imports keras."""

    def example(self, name: str, signature: Signature) -> str:
        """At most ten lines of the target's language that call the artifact.

        They open the artifact by ``name`` from its own folder, make inputs of the right kind and end by
        binding ``outputs``: a dict from the outputs' names to arrays.
        """
