"""``portable_models.export`` is a package that is called: the name that the contract gives to scripts."""

import inspect
import subprocess
import sys

import pytest

import portable_models
from portable_models.export import ExportError
from portable_models.export.api import export


def test_call_of_the_package_is_the_function(tmp_path):
    with pytest.raises(ExportError, match=r"there is no file .*model\.keras"):
        portable_models.export(tmp_path / "model.keras", "onnx", tmp_path / "model.onnx")
    with pytest.raises(ExportError, match="unknown target 'coreml'"):
        portable_models.export(model="model.keras", to="coreml", out=tmp_path / "model")


def test_the_package_is_still_one():
    import portable_models.export as package

    assert package is portable_models.export is sys.modules["portable_models.export"]
    assert package.export is export
    assert "onnx" in package.ROUTES
    assert inspect.ismodule(package)
    assert inspect.signature(package) == inspect.signature(export)


def test_it_is_resolved_at_its_first_use():
    script = (
        "import sys, portable_models\n"
        "assert 'portable_models.export' not in sys.modules\n"
        "assert 'export' in dir(portable_models)\n"
        "assert callable(portable_models.export)\n"
        "assert 'portable_models.export' in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
