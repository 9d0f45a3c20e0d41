"""Which way leads to each target, as data: the hub backend, the steps, the packages, the limits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from portable_models.export.errors import ExportError, MissingPackageError
from portable_models.export.steps import Limit as Limit
from portable_models.export.steps import Step as Step


@dataclass(frozen=True)
class Way:
    """Another way to a target, taken when the ways before it fail or do not verify.

    Args:
        hub: the Keras backend that the model is loaded under.
        steps: what is done, in order.
        writer: the function that writes the artifact.
        module: the file that it is in, where that is not the target's own.
        limits: what this way cannot hold.
        packages: import names of what it needs besides the route's packages; the way is left out without.
    """

    hub: str
    steps: tuple[Step, ...]
    writer: str = "write"
    module: str | None = None
    limits: tuple[Limit, ...] = ()
    packages: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The JSON-able form that a result holds."""
        return {"hub": self.hub, "steps": [str(step) for step in self.steps]}


@dataclass(frozen=True)
class Route:
    """The way to one target.

    Args:
        target: the target's name, as ``--to`` takes it.
        title: the target as a person calls it.
        hub: the Keras backend that the model is loaded under.
        steps: what is done, in order.
        module: the file that writes and opens the artifact.
        artifact: what is written: a suffix such as ``".onnx"``, or ``"/"`` for a folder.
        packages: import name -> extra of this project that brings it, for every package that the route
            and the target's own runtime need, the hub's framework first.
        runtime: import names of the packages that calling the artifact needs.
        gradients: whether the artifact can be differentiated, so that gradients are verified too.
        limits: what the first way cannot hold.
        others: further ways, in the order in which they are tried.
        trained_further: whether the artifact is made to be trained, so that its gradients decide.
    """

    target: str
    title: str
    hub: str
    steps: tuple[Step, ...]
    module: str
    artifact: str
    packages: Mapping[str, str]
    runtime: tuple[str, ...]
    gradients: bool = False
    limits: tuple[Limit, ...] = (Limit.STATEFUL,)
    others: tuple[Way, ...] = ()
    trained_further: bool = False

    @property
    def ways(self) -> tuple[Way, ...]:
        """Every way that can be taken here, the first one first."""
        first = Way(self.hub, self.steps, limits=self.limits)
        return (first, *(way for way in self.others if all(map(_installed, way.packages))))


_TENSORFLOW = {"tensorflow": "tensorflow"}
_TARGETS = "portable_models.export.targets"

# Straight export fails or lies for a third of the combinations of backend and target (docs/export.md);
# these ways do not. TensorFlow is the hub of four targets because the converters read its graphs best.
_ROUTES = (
    Route(
        target="saved_model",
        title="TensorFlow SavedModel",
        hub="tensorflow",
        steps=(Step.LOAD, Step.CALL, Step.FUNCTION, Step.SAVED_MODEL),
        module=f"{_TARGETS}.saved_model",
        artifact="/",
        packages=_TENSORFLOW,
        runtime=("tensorflow",),
        gradients=True,
    ),
    Route(
        target="torch",
        title="PyTorch .pt2 (inference)",
        hub="torch",
        steps=(Step.LOAD, Step.CALL, Step.TORCH_EXPORT),
        module=f"{_TARGETS}.torch_pt2",
        artifact=".pt2",
        packages={"torch": "torch"},
        runtime=("torch",),
        limits=(Limit.STATEFUL, Limit.FREE_LENGTH, Limit.STRINGS),
        others=(
            Way(
                "torch",
                (Step.LOAD, Step.TORCH_MODULE, Step.TORCH_EXPORT),
                "write_by_module",
                limits=(Limit.STATEFUL, Limit.FREE_LENGTH, Limit.STRINGS),
                packages=("safetensors",),
            ),
        ),
    ),
    Route(
        target="torch-module",
        title="PyTorch Module (trainable)",
        hub="torch",
        steps=(Step.LOAD, Step.TORCH_MODULE),
        module=f"{_TARGETS}.torch_module",
        artifact="/",
        packages={"torch": "torch", "safetensors": "torch-module"},
        runtime=("torch", "safetensors"),
        gradients=True,
        trained_further=True,
        limits=(Limit.STATEFUL, Limit.STRINGS, Limit.UNKNOWN_LAYER),
    ),
    Route(
        target="onnx",
        title="ONNX",
        hub="tensorflow",
        steps=(Step.LOAD, Step.CALL, Step.FUNCTION, Step.FROZEN, Step.TF2ONNX),
        module=f"{_TARGETS}.onnx",
        artifact=".onnx",
        packages=_TENSORFLOW | {"tf2onnx": "onnx", "onnx": "onnx", "onnxruntime": "onnx"},
        runtime=("onnxruntime",),
        limits=(Limit.STATEFUL, Limit.STRINGS),
        others=(
            Way(
                "torch",
                (Step.LOAD, Step.CALL, Step.TORCH_ONNX),
                "write",
                f"{_TARGETS}.onnx_by_torch",
                (Limit.STATEFUL, Limit.STRINGS, Limit.FREE_LENGTH),
                ("torch", "onnxscript"),
            ),
        ),
    ),
    Route(
        target="jax",
        title="JAX (jax.export)",
        hub="jax",
        steps=(Step.LOAD, Step.SPLIT, Step.CALL, Step.JAX_EXPORT),
        module=f"{_TARGETS}.jax",
        artifact="/",
        packages={"jax": "jax"},
        runtime=("jax",),
        gradients=True,
        trained_further=True,
        limits=(Limit.STATEFUL, Limit.STRINGS, Limit.DOUBLE),
    ),
    Route(
        target="openvino",
        title="OpenVINO IR",
        hub="tensorflow",
        steps=(Step.LOAD, Step.UNROLL, Step.CALL, Step.FUNCTION, Step.SAVED_MODEL, Step.OPENVINO),
        module=f"{_TARGETS}.openvino",
        artifact="/",
        packages=_TENSORFLOW | {"openvino": "openvino"},
        runtime=("openvino",),
        limits=(Limit.STATEFUL, Limit.FREE_LENGTH, Limit.STRINGS),
        others=(
            Way(
                "tensorflow",
                (Step.LOAD, Step.CALL, Step.FUNCTION, Step.FROZEN, Step.TF2ONNX, Step.OPENVINO),
                "write_by_onnx",
                limits=(Limit.STATEFUL, Limit.STRINGS),
                packages=("tf2onnx",),
            ),
        ),
    ),
    Route(
        target="litert",
        title="LiteRT",
        hub="tensorflow",
        steps=(
            Step.LOAD,
            Step.UNROLL,
            Step.SPLIT,
            Step.CALL,
            Step.FUNCTION,
            Step.SAVED_MODEL,
            Step.LITERT,
        ),
        module=f"{_TARGETS}.litert",
        artifact=".tflite",
        packages=_TENSORFLOW | {"ai_edge_litert": "litert"},
        runtime=("ai_edge_litert",),
        limits=(Limit.STATEFUL, Limit.FREE_LENGTH, Limit.STRINGS),
        others=(
            Way(
                "tensorflow",
                (Step.LOAD, Step.SPLIT, Step.CALL, Step.FUNCTION, Step.SAVED_MODEL, Step.LITERT),
                limits=(Limit.STATEFUL, Limit.STRINGS),
            ),
        ),
    ),
)

ROUTES: Mapping[str, Route] = MappingProxyType({route.target: route for route in _ROUTES})


def route_to(target: str) -> Route:
    """The way to ``target``.

    Raises:
        ExportError: there is no such target.
    """
    try:
        return ROUTES[target]
    except KeyError:
        raise ExportError(
            f"unknown target {target!r}; the targets are {', '.join(ROUTES)}"
        ) from None


def check_path(route: Route, path: Path) -> None:
    """Check that ``path`` is named as the artifact's kind wants it.

    Raises:
        ExportError: a folder is asked for where a file is written, or the other way round.
    """
    if route.artifact != "/" and path.suffix != route.artifact:
        also = (
            "; a trainable folder is written by --to torch-module"
            if route.target == "torch"
            else ""
        )
        raise ExportError(
            f"the {route.target} target writes one {route.artifact} file, got the path {path.name!r}; "
            f"name it {path.stem}{route.artifact}{also}"
        )
    if route.artifact == "/" and path.suffix in {r.artifact for r in _ROUTES}:
        raise ExportError(
            f"the {route.target} target writes a folder, got the path {path.name!r}; "
            f"name it {path.stem} or choose the target that writes {path.suffix} files"
        )


def check_packages(
    route: Route, installed: Callable[[str], bool] = lambda name: _installed(name)
) -> None:
    """Check that every package the route needs is installed, importing none.

    Raises:
        MissingPackageError: some are not; the message names the extras that bring them.
    """
    missing = [name for name in route.packages if not installed(name)]
    if missing:
        extras = ",".join(dict.fromkeys(route.packages[name] for name in missing))
        raise MissingPackageError(
            f"the {route.target} target needs {', '.join(missing)}, not installed here; "
            f'run: pip install "portable-models[{extras}]"'
        )


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
