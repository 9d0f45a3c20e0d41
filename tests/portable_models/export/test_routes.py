"""Routes are data: complete, honest about packages, strict about names."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from portable_models.export.errors import ExportError, MissingPackageError
from portable_models.export.routes import ROUTES, check_packages, check_path, route_to

EXTRAS = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


def test_every_target_of_the_contract_has_a_route():
    assert set(ROUTES) == {
        "saved_model",
        "torch",
        "torch-module",
        "onnx",
        "jax",
        "openvino",
        "litert",
    }


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_target_file_has_what_a_target_has(route):
    module = importlib.import_module(route.module)
    assert all(callable(getattr(module, name)) for name in ("write", "open_artifact", "example"))


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_route_names_its_hub_and_runtime_among_its_packages(route):
    assert route.hub in route.packages
    assert set(route.runtime) <= set(route.packages)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_every_extra_that_an_error_names_exists(route):
    assert set(route.packages.values()) <= set(EXTRAS)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_missing_packages_are_named_with_their_extras(route):
    last = list(route.packages)[-1]
    with pytest.raises(MissingPackageError) as caught:
        check_packages(route, installed=lambda name: name != last)
    assert str(caught.value) == (
        f"the {route.target} target needs {last}, not installed here; "
        f'run: pip install "portable-models[{route.packages[last]}]"'
    )


def test_extras_are_named_once_each():
    with pytest.raises(MissingPackageError, match=re.escape("portable-models[tensorflow,onnx]")):
        check_packages(ROUTES["onnx"], installed=lambda name: False)


def test_nothing_is_asked_for_that_the_route_does_not_need():
    check_packages(ROUTES["jax"], installed=lambda name: name == "jax")


def test_unknown_target_lists_the_known_ones():
    with pytest.raises(ExportError, match="unknown target 'coreml'; the targets are saved_model, "):
        route_to("coreml")


@pytest.mark.parametrize(
    ("target", "path", "message"),
    [
        ("onnx", "model", r"writes one \.onnx file, got the path 'model'; name it model\.onnx"),
        ("torch", "folder", r"name it folder\.pt2; a trainable folder is written by --to torch-m"),
        ("saved_model", "model.onnx", r"writes a folder, got the path 'model\.onnx'"),
    ],
)
def test_path_of_the_wrong_kind_is_refused(target, path, message):
    with pytest.raises(ExportError, match=message):
        check_path(ROUTES[target], Path(path))
