"""Foreign files made neutral without building the model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from portable_models.files import FileError, convert, describe, load
from portable_models.files.neutral import neutralise

from . import hostile_files as hostile
from .hostile_files import keras_object

ROOT = Path(__file__).parents[3]
FOREIGN = Path(__file__).with_name("foreign")
# The writer's own prediction for a row of ones; the first weights differ by backend and Keras version.
PREDICTED = {
    "jax-3.10.0": 0.07904539,
    "jax-3.15.1": 0.07904539,
    "tensorflow-3.0.5": 0.02933343,
    "tensorflow-3.6.0": 0.02933343,
    "tensorflow-3.10.0": 0.02933343,
    "tensorflow-3.15.1": 0.02933343,
    "torch-3.0.5": 0.03382814,
    "torch-3.6.0": 0.03382814,
    "torch-3.10.0": 0.02501751,
    "torch-3.15.1": 0.02501751,
}


def foreign(name):
    return FOREIGN / f"{name}.keras"


def test_every_foreign_file_is_tried():
    assert {path.stem for path in FOREIGN.glob("*.keras")} == set(PREDICTED)


def predicted(model):
    return keras.ops.convert_to_numpy(model(np.ones((1, 4), "float32")))


@pytest.mark.parametrize("name", PREDICTED)
def test_foreign_file_is_read_as_it_is(name):
    # Three sums of at most four float32 numbers below 2.
    np.testing.assert_allclose(
        predicted(load(foreign(name))), [[PREDICTED[name]]], rtol=0, atol=3e-7
    )


@pytest.mark.parametrize("name", PREDICTED)
def test_converted_file_trains_on(name, tmp_path):
    convert(foreign(name), tmp_path / "neutral.keras")
    model = load(tmp_path / "neutral.keras")
    np.testing.assert_allclose(predicted(model), [[PREDICTED[name]]], rtol=0, atol=3e-7)
    assert int(model.optimizer.iterations) == 4
    x = np.ones((8, 4), "float32")
    assert np.isfinite(model.train_on_batch(x, x[:, :1])).all()
    assert int(model.optimizer.iterations) == 5


def test_what_is_changed_in_a_file_of_torch():
    contents = describe(foreign("torch-3.15.1"))
    assert [(change.what, change.before, change.after) for change in contents.changes] == [
        ("config.compile_config.jit_compile", False, "auto"),
        (
            "config.compile_config.optimizer.module",
            "keras.src.backend.torch.optimizers.torch_adam",
            "keras.optimizers",
        ),
        ("config.compile_config.optimizer.registered_name", "Adam", None),
        ("config: shared_object_id", "1 memory addresses", "1, 2, …"),
    ]


def test_what_is_changed_in_a_file_of_jax():
    changes = {change.what: change for change in describe(foreign("jax-3.15.1")).changes}
    assert str(changes["config.compile_config.jit_compile"]) == (
        "config.compile_config.jit_compile: True -> auto"
    )


def test_optimizer_inside_another_is_found():
    config = json.loads(hostile.read_members(foreign("torch-3.15.1"))["config.json"])
    inner = config["compile_config"]["optimizer"]
    config["compile_config"]["optimizer"] = keras_object(
        "LossScaleOptimizer", "keras.optimizers", {"inner_optimizer": inner}
    )
    neutral, _ = neutralise(config)
    inner = neutral["compile_config"]["optimizer"]["config"]["inner_optimizer"]
    assert inner["module"] == "keras.optimizers"


def test_lost_seed_generators_are_reported(tmp_path):
    (note,) = (
        change
        for change in convert(foreign("jax-3.15.1"), tmp_path / "out.keras")
        if change.what == "note: seed generators"
    )
    assert note.after == "not in the file; resumed training draws its dropout masks from the start"


def test_nothing_is_reported_lost_where_nothing_is_drawn(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "plain.keras")
    changes = convert(tmp_path / "plain.keras", tmp_path / "out.keras")
    assert not [change for change in changes if change.what.startswith("note")]


@pytest.mark.parametrize("name", ["torch-3.15.1", "jax-3.10.0", "tensorflow-3.0.5"])
def test_converting_twice_changes_nothing_more(name, tmp_path):
    once, twice = tmp_path / "once.keras", tmp_path / "twice.keras"
    assert convert(foreign(name), once)
    assert convert(once, twice) == []
    assert once.read_bytes() == twice.read_bytes()


def test_converted_file_remembers_its_source(tmp_path):
    convert(foreign("torch-3.6.0"), tmp_path / "out.keras")
    passport = describe(tmp_path / "out.keras").passport
    assert passport.converted_from["keras_version"] == "3.6.0"
    assert passport.seed_generators is None


def test_weights_are_copied_byte_by_byte(tmp_path):
    convert(foreign("torch-3.10.0"), tmp_path / "out.keras")
    members = hostile.read_members(tmp_path / "out.keras")
    assert (
        members["model.weights.h5"]
        == (hostile.read_members(foreign("torch-3.10.0"))["model.weights.h5"])
    )


def test_plain_keras_reads_a_converted_file(tmp_path):
    convert(foreign("torch-3.15.1"), tmp_path / "out.keras")
    assert int(keras.saving.load_model(tmp_path / "out.keras").optimizer.iterations) == 4


@pytest.mark.parametrize("name", ["out.h5", "out"])
def test_other_suffix_is_refused(name, tmp_path):
    with pytest.raises(FileError, match=r"expected a name that ends in \.keras"):
        convert(foreign("jax-3.15.1"), tmp_path / name)


def test_custom_layer_needs_its_package_named(tmp_path):
    members = hostile.read_members(foreign("jax-3.15.1"))
    bad = tmp_path / "custom.keras"
    layer = keras_object("Scale", "my_package.layers", registered="my_package>Scale")
    hostile.add_layer(layer)(members, bad)
    with pytest.raises(
        FileError, match=r"--allow PACKAGE in portable check and convert, allow=\[PACKAGE\]"
    ):
        convert(bad, tmp_path / "out.keras")
    convert(bad, tmp_path / "out.keras", allow=("my_package",))
    assert describe(tmp_path / "out.keras", allow=("my_package",)).passport is not None


@pytest.mark.parametrize(
    ("module", "registered", "allow", "accepted"),
    [
        ("my_package.layers", "Custom>Scale", "my_package", True),
        ("my_package.layers", "Scale", "my_package", True),
        ("my_package.layers", "other>Scale", "my_package", True),
        ("other.layers", "my_package>Scale", "my_package", False),
        ("my_package_evil.layers", "Custom>Scale", "my_package", False),
        (None, "Custom>Scale", "my_package", False),
        (None, "Custom>Scale", "Custom", True),
        (None, "Scale", "my_package", False),
    ],
)
def test_the_module_must_be_allowed_or_the_package_where_there_is_none(
    tmp_path, module, registered, allow, accepted
):
    path = tmp_path / "custom.keras"
    layer = keras_object("Scale", module, registered=registered)
    hostile.add_layer(layer)(hostile.read_members(foreign("jax-3.15.1")), path)
    if accepted:
        describe(path, allow=(allow,))
    else:
        with pytest.raises(FileError, match="neither a part of a Keras model nor registered"):
            describe(path, allow=(allow,))


def test_no_framework_is_imported(tmp_path):
    program = (
        "import sys, portable_models.files as files; files.convert(sys.argv[1], sys.argv[2]);"
        "print([m for m in ('keras', 'jax', 'tensorflow', 'torch') if m in sys.modules])"
    )
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program, str(foreign("torch-3.15.1")), "out.keras"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_file_of_hdf5_says_how_to_get_to_keras(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(
        FileError, match=r"HDF5 format .*save it again: model\.save\('model\.keras'\)"
    ):
        describe(tmp_path / "model.h5")
