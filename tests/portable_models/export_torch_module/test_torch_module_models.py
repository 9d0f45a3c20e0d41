"""Whole models, from files of this backend, where keras cannot be imported: outputs and gradients."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import torch_module_zoo as zoo

from portable_models import models
from portable_models.export.errors import ExportError, RefusedError
from portable_models.export.torch_module import export_torch_module, verify
from portable_models.export.torch_module.verification import BATCHES, verify_all

PROJECT = {
    "imdb": lambda: models.regularization_variant("l2", dimension=500),
    "imdb-dropout": lambda: models.regularization_variant("dropout", dimension=500),
    "boston": models.boston_regressor,
    "vanilla": models.vanilla,
    "several-inputs-outputs": models.several_inputs_outputs,
    "mnist-subclassed": models.mnist_subclassed,
}
NAMES = [*zoo.MODELS, *PROJECT]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Each model, saved to a file, exported from the file; and what an isolated process found."""
    root = tmp_path_factory.mktemp("exported")
    made = {}
    for name in NAMES:
        model = zoo.build(name) if name in zoo.MODELS else PROJECT[name]()
        file = root / f"{name}.keras"
        model.save(file)
        made[name] = model, export_torch_module(file, root / name)
    checks = verify_all([(model, folder.path) for model, folder in made.values()])
    return {
        name: (model, folder, checked)
        for (name, (model, folder)), checked in zip(made.items(), checks, strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_are_those_of_keras_without_keras(exported, name):
    model, _, checks = exported[name]
    outputs = len(keras.tree.flatten(model.predict_on_batch(zoo.inputs_of(model, 1))))
    assert len(checks) == outputs * len(BATCHES) + len(model.trainable_variables)
    assert [check for check in checks if not check.passed] == []


@pytest.mark.parametrize("name", NAMES)
def test_folder_says_which_weight_is_which(exported, name):
    model, folder, _ = exported[name]
    described = json.loads((folder.path / "architecture.json").read_text())
    assert described["weights"] == dict(folder.weights)
    assert len(described["trainable"]) == len(model.trainable_variables)
    for key, variable in zip(described["trainable"], model.trainable_variables, strict=True):
        # Keras numbers automatic names again when it loads the file; what a weight is called stays.
        assert key.rpartition(".")[2] == described["weights"][key].rpartition("/")[2]
        assert key.rpartition(".")[2] == variable.path.rpartition("/")[2]


def test_source_is_the_same_from_every_backend(exported, backends, tmp_path):
    files = [str(folder.path.with_suffix(".keras")) for _, folder, _ in exported.values()]
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import torch_module_zoo;"
        "from pathlib import Path;"
        "from portable_models.export.torch_module import export_torch_module;"
        "[export_torch_module(f, Path(sys.argv[2]) / Path(f).stem) for f in sys.argv[3:]]"
    )
    zoo_folder = str(Path(zoo.__file__).parent)
    for backend in backends:
        out = tmp_path / backend
        command = [sys.executable, "-c", script, zoo_folder, str(out), *files]
        subprocess.run(command, check=True, env=environment(backend))
        for name, (_, folder, _) in exported.items():
            for file in ("model.py", "weights.safetensors"):
                there, here = out / name / file, folder.path / file
                assert there.read_bytes() == here.read_bytes(), (backend, name, file)


def environment(backend):
    return {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(Path.cwd())}


def test_a_fault_in_the_source_is_found(exported, tmp_path):
    model, folder, _ = exported["cnn"]
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in folder.path.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    text = (broken / "model.py").read_text()
    assert text.count("epsilon=0.001") == 2
    (broken / "model.py").write_text(text.replace("epsilon=0.001", "epsilon=0.0011"))
    outputs = [check for check in verify(model, broken) if check.name.startswith("out")]
    assert [check.passed for check in outputs] == [False] * len(BATCHES)


def test_a_folder_that_imports_keras_does_not_run(exported, tmp_path):
    model, folder, _ = exported["mlp"]
    for file in folder.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "model.py").read_text()
    (tmp_path / "model.py").write_text(text.replace("import torch\n", "import keras\n", 1))
    with pytest.raises(
        ExportError, match=r"does not run: .*keras is blocked: an exported module must"
    ):
        verify(model, tmp_path)


def test_nothing_is_left_behind_where_a_model_is_refused(tmp_path):
    x = keras.Input((1,), dtype="int32")
    model = keras.Model(x, keras.layers.IntegerLookup(vocabulary=[3, 4])(x))
    model.save(tmp_path / "m.keras")
    with pytest.raises(RefusedError, match=r"layer 'integer_lookup\S*' of class IntegerLookup: .+"):
        export_torch_module(tmp_path / "m.keras", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_a_folder_that_exists_is_not_overwritten(tmp_path):
    zoo.build("mlp").save(tmp_path / "m.keras")
    with pytest.raises(ExportError, match="exists; name a folder that does not"):
        export_torch_module(tmp_path / "m.keras", tmp_path)
