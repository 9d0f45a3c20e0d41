"""An exception inside of an installed package is the package's, unless the user's own code called it."""

import importlib.util

import pytest

from backends_matrix.check import Kind
from backends_matrix.check.diagnosis.blame import explain_failure
from backends_matrix.check.worker.failure import describe


@pytest.fixture
def package(tmp_path):
    """A module of an installed package."""
    file = tmp_path / "env" / "site-packages" / "layers_of_others" / "blocks.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "def block(x):\n    return x.missing\n\n\ndef wrapped(function):\n    function()\n"
    )
    return _imported(file), file


def _imported(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failure_of(call, root=""):
    try:
        call()
    except AttributeError as error:
        return describe(error, root)
    raise AssertionError("it must raise")


def test_the_innermost_line_of_a_package_is_named(package):
    module, file = package
    # This test is the user's code here; without it there are frames of the package alone.
    found = failure_of(lambda: module.block(1)) | {"frames": []}
    assert (found["package_frame"]["file"], found["package_frame"]["line"]) == (str(file), 2)
    told = explain_failure(found, [], "forward", everywhere=True)
    assert told.cause.startswith("the package layers_of_others: ")
    assert (told.file, told.line) == (str(file), 2)


def test_what_the_users_code_calls_in_a_package_is_the_users(package):
    module, _ = package
    found = failure_of(lambda: module.block(1))
    assert found["frames"][-1]["file"] == __file__
    told = explain_failure(found, [], "forward", everywhere=True)
    assert "the package" not in told.cause
    assert told.file == __file__


PACKAGE = """
import keras


class Late(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(3)

    def build(self, shape):
        self.built = True

    def call(self, inputs):
        return self.inner(inputs)


Late = keras.saving.register_keras_serializable("late")(Late)


class Unknown(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs
"""
MODEL = """
import sys

sys.path.insert(0, {folder!r})
import keras
from made_by_others import {name}


@keras.saving.register_keras_serializable("own")
class Wrapped(keras.Model):
    def __init__(self, layer=None, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer or {name}()
        self.head = keras.layers.Dense(2)

    def build(self, shape):
        self.head.build((None, 3))
        self.built = True

    def call(self, inputs):
        return self.head(self.layer(inputs))

    def get_config(self):
        layer = keras.saving.serialize_keras_object(self.layer)
        return {{**super().get_config(), "layer": layer}}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("layer")), **config)


def build_model():
    model = Wrapped()
    model(keras.ops.zeros((1, 3)))
    return model
"""


@pytest.fixture
def model_of(tmp_path):
    """``model_of(class)``: a model of the user's with a layer of an installed package, and both files."""

    def make(name):
        package = tmp_path / "env" / "site-packages" / "made_by_others.py"
        package.parent.mkdir(parents=True)
        package.write_text(PACKAGE)
        file = tmp_path / f"model_of_{name.lower()}.py"
        file.write_text(MODEL.format(folder=str(package.parent), name=name))
        return file, str(package)

    return make


def line_of(text):
    return PACKAGE.split(text)[0].count("\n") + 1


def test_weights_that_a_package_makes_too_late_are_the_packages_fault(model_of, checked):
    file, package = model_of("Late")
    result = checked(file, backends=("jax", "torch"))
    rows = [each for each in result.failures if each.name in ("read file", "resume training")]
    assert {each.backend for each in rows} >= {"jax>jax", "torch>jax", "torch>torch"}
    for each in rows:
        assert each.kind is Kind.AUTHOR, each.cause
        # Training that goes on raises on JAX, and follows from the same.
        raised = each.cause.startswith("ValueError: ")
        assert raised or each.cause.startswith("the package made_by_others: ")
        assert "Late has made 2 of its weights only in the first call after reading" in each.cause
        assert (each.file, each.line) == (package, line_of("class Late"))


def test_a_class_of_a_package_that_is_not_registered_is_the_packages_fault(model_of, checked):
    file, package = model_of("Unknown")
    result = checked(file, backends=("jax", "torch"))
    rows = [each for each in result.failures if each.name in ("get_config", "save", "read file")]
    assert "get_config" in {each.name for each in rows}
    for each in rows:
        assert each.kind is Kind.AUTHOR, each.cause
        assert each.cause.startswith("the package made_by_others: Unknown is not registered")
        assert (each.file, each.line) == (package, line_of("class Unknown"))


EMPTY = """
import keras


@keras.saving.register_keras_serializable("late")
class Empty(keras.Model):
    def build(self, shape):
        self.inner = [keras.layers.Dropout(0.5, name="dropped"), keras.layers.Dense(2)]
        self.built = True

    def call(self, inputs):
        return self.inner[1](self.inner[0](inputs))
"""
BUILDER = """
import sys

sys.path.insert(0, {folder!r})
import keras
from empty_models import Empty


def build_model():
    model = Empty()
    model(keras.ops.zeros((1, 3)))
    return model
"""


def test_a_model_of_a_package_that_is_read_without_its_layers_is_the_packages_fault(
    tmp_path, checked
):
    package = tmp_path / "env" / "site-packages" / "empty_models.py"
    package.parent.mkdir(parents=True)
    package.write_text(EMPTY)
    file = tmp_path / "model_of_empty.py"
    file.write_text(BUILDER.format(folder=str(package.parent)))
    result = checked(file, backends=("jax", "torch"))
    rows = [each for each in result.failures if each.name in ("get_config", "read file")]
    assert {each.name for each in rows} == {"get_config", "read file"}, result.failures
    for each in rows:
        assert each.kind is Kind.AUTHOR, each.cause
        assert each.cause.startswith("the package empty_models: ")
        assert "Empty is not whole" in each.cause or "Empty has made 2 of its weights" in each.cause
        assert (each.file, each.line) == (str(package), 5)
