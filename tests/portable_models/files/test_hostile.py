"""Hostile and broken files are refused in one line; nothing is executed, nothing left behind."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from portable_models.files import FileError, Limits, convert, describe, load

from . import hostile_files as hostile
from .hostile_files import CONFIG, METADATA, WEIGHTS, keras_object

CANARY = "canary"
LAMBDA = hostile.lambda_layer(CANARY)
MIB = 1 << 20


def compile_config(key, value):
    return hostile.with_config(lambda config: config["compile_config"].update({key: value}))


def hidden(**changes):
    return hostile.with_config(lambda config: hostile.layers(config)[1]["config"].update(changes))


def in_weights(name, data, **arguments):
    def change(file):
        file["layers/dense/vars"].create_dataset(name, data=data, **arguments)

    return hostile.with_weights(change)


ARCHIVE = {
    "not a zip": (lambda m, path: path.write_text("no zip"), "not a .keras file; expected a zip"),
    "empty": (lambda m, path: path.write_bytes(b""), "not a .keras file"),
    "cut short": (hostile.with_bytes(lambda raw: raw[: len(raw) // 2]), "damaged or cut short"),
    "end missing": (hostile.with_bytes(lambda raw: raw[:-30]), "damaged or cut short"),
    "script in front": (hostile.with_bytes(lambda raw: b"#!/bin/sh\n" + raw), "not a .keras file"),
    "flipped byte": (
        hostile.with_bytes(lambda raw: raw.replace(b"class_name", b"class-name", 1)),
        "damaged or cut short",
    ),
    "no weights": (hostile.without(WEIGHTS), "the member model.weights.h5 is missing"),
    "no config": (hostile.without(CONFIG), "the member config.json is missing"),
    "no metadata": (hostile.without(METADATA), "the member metadata.json is missing"),
    "parent folder": (hostile.with_member("../evil", b""), "could leave the archive"),
    "parent inside": (hostile.with_member("assets/../../evil", b""), "could leave the archive"),
    "absolute": (hostile.with_member("/tmp/evil", b""), "could leave the archive"),
    "backslash": (hostile.with_member("assets\\..\\evil", b""), "could leave the archive"),
    "drive": (hostile.with_member("C:/evil", b""), "could leave the archive"),
    "newline in name": (hostile.with_member("assets/a\nb", b""), "could leave the archive"),
    "symlink": (hostile.linked_member, "is a link or a device"),
    "surplus": (hostile.with_member("sitecustomize.py", b""), "is none that Keras writes"),
    "twice": (hostile.member_twice(CONFIG), "'config.json' is there twice"),
    "twice by case": (hostile.with_member("assets/A", b""), "is there twice"),
    "encrypted": (hostile.encrypted, "is encrypted"),
    "lzma": (lambda m, path: hostile.pack(path, m, zipfile.ZIP_LZMA), "compressed in a way"),
    "bomb": (
        lambda m, path: hostile.pack(
            path, m | {"assets/zeros": bytes(9 * MIB)}, zipfile.ZIP_DEFLATED
        ),
        "declares 9437184 bytes but stores 9175: a zip bomb|a zip bomb",
    ),
    "bomb that lies": (hostile.lying_size, "damaged or cut short|but holds more"),
    "overlap": (hostile.overlapping_members, "members overlap|damaged"),
}
DOCUMENTS = {
    "no JSON": (hostile.with_member(CONFIG, b"{"), "config.json: not valid JSON"),
    "no UTF-8": (hostile.with_member(CONFIG, b'{"a": "\xff"}'), "config.json: not valid JSON"),
    "no object": (hostile.with_member(CONFIG, b"[]"), "expected a JSON object, got list"),
    "no model": (hostile.with_member(CONFIG, b"{}"), "does not describe a model"),
    "key twice": (
        hostile.with_member(CONFIG, b'{"class_name": "a", "class_name": "b"}'),
        "the key 'class_name' is there twice",
    ),
    "deep": (hostile.with_member(CONFIG, hostile.nested(200)), "nested more than 150 levels"),
    "very deep": (hostile.with_member(CONFIG, hostile.nested(200_000)), "nested more than 150"),
    "metadata": (hostile.with_member(METADATA, b"null"), "metadata.json: expected a JSON object"),
}
CODE = {
    "lambda layer": (hostile.add_layer(LAMBDA), r"layers\[4\]: a Lambda with Python bytecode"),
    "lambda inside a wrapper": (
        hostile.add_layer(
            keras_object("TimeDistributed", "keras.layers", {"name": "t", "layer": LAMBDA})
        ),
        r"layers\[4\]\.config\.layer: a Lambda with Python bytecode",
    ),
    "lambda as activation": (hidden(activation=hostile.bytecode(CANARY)), "Python bytecode"),
    "lambda as loss": (compile_config("loss", [hostile.bytecode(CANARY)]), "Python bytecode"),
    "lambda of Keras 2": (
        hostile.add_layer(
            keras_object("Lambda", None, {"function": ["4wEAAA==", None, None], "name": "l"})
        ),
        "Python bytecode",
    ),
    "module": (hostile.add_layer(keras_object("Popen", "subprocess")), "names 'Popen' of the mod"),
    "function": (
        hidden(activation=keras_object("function", "os", "system", "system")),
        "names 'system' of the module 'os'",
    ),
    "function of Keras": (
        compile_config("loss", keras_object("function", "keras.utils", "get_file", "get_file")),
        "names 'get_file' of the module 'keras.utils'",
    ),
    "model reader": (
        compile_config("loss", keras_object("load_model", "keras.models", {"filepath": "evil"})),
        "names 'load_model' of the module 'keras.models'",
    ),
    "class outside models": (
        hostile.add_layer(keras_object("ModelCheckpoint", "keras.callbacks")),
        "names 'ModelCheckpoint' of the module 'keras.callbacks'",
    ),
    "class of another package": (
        hostile.add_layer(keras_object("Evil", "evil.layers", registered="evil>Evil")),
        "names 'evil>Evil' of the module 'evil.layers'",
    ),
    "other name than its class": (
        hostile.add_layer(keras_object("Dense", "keras.layers", registered="evil>Evil")),
        "names 'evil>Evil' of the module 'keras.layers'",
    ),
    "SavedModel": (
        hostile.add_layer(keras_object("TFSMLayer", "keras.layers", {"filepath": "evil"})),
        "a TFSMLayer runs code from outside",
    ),
    "torch module": (
        hostile.add_layer(keras_object("TorchModuleWrapper", "keras.layers")),
        "a TorchModuleWrapper runs code from outside",
    ),
    "vocabulary": (
        hostile.add_layer(
            keras_object("StringLookup", "keras.layers", {"vocabulary": "/etc/passwd"})
        ),
        "StringLookup reads its vocabulary from the file '/etc/passwd'",
    ),
    "type of TensorFlow": (hidden(units=keras_object("__typespec__", None)), "no kind of value"),
    "objects in an array": (
        hidden(units=keras_object("__numpy__", None, {"value": [1], "dtype": "object"})),
        "an array of 'object'",
    ),
    "class that is no text": (
        hostile.add_layer(keras_object(["Dense"], "keras.layers")),
        "class_name, module and registered_name must be text",
    ),
}
SIZES = {
    "huge shape": (
        hostile.with_config(
            lambda config: hostile.layers(config)[0]["config"].update(batch_shape=[1, 2**31, 9])
        ),
        r"batch_shape: a size of 2147483648|batch_shape\[1\]: a size of 2147483648",
    ),
    "huge product": (
        hostile.with_config(
            lambda config: hostile.layers(config)[0]["config"].update(batch_shape=[1, 2**20, 2**20])
        ),
        "batch_shape: a shape of .* takes more than",
    ),
    "huge units": (hidden(units=10**30), "units: a size of 1000000000000000000…"),
}
ARRAYS = {
    "no HDF5": (hostile.with_member(WEIGHTS, b"PK"), "model.weights.h5 is damaged"),
    "external link": (
        hostile.with_weights(hostile.link(h5py.ExternalLink("/etc/passwd", "/data"))),
        "is a ExternalLink to another place",
    ),
    "soft link": (hostile.with_weights(hostile.link(h5py.SoftLink("/vars"))), "is a SoftLink"),
    "external storage": (
        hostile.with_weights(
            lambda file: hostile.replace_dataset(
                file, shape=(6, 4), dtype="f4", external=[("/etc/passwd", 0, 96)]
            )
        ),
        "has its data in another file",
    ),
    "virtual": (hostile.with_weights(hostile.virtual), "has its data in another file"),
    "cycle": (hostile.with_weights(hostile.cycle), "has two names"),
    "plugin": (hostile.with_weights(hostile.plugin_filter), r"needs the HDF5 filters \[307\]"),
    "objects": (in_weights("2", "text"), "expected numbers"),
    "shape without data": (
        hostile.with_weights(
            lambda file: hostile.replace_dataset(file, shape=(10**6, 10**6), dtype="f4")
        ),
        r"declares the shape \(1000000, 1000000\)",
    ),
    "packed zeros": (
        in_weights("2", np.zeros((3000, 3000), "f4"), compression="gzip"),
        r"declares the shape \(3000, 3000\)",
    ),
}
REFUSED = {
    f"{group}: {name}": case
    for group, cases in {
        "archive": ARCHIVE,
        "document": DOCUMENTS,
        "code": CODE,
        "size": SIZES,
        "weights": ARRAYS,
    }.items()
    for name, case in cases.items()
}


def refuse(action, workplace, message):
    before = sorted(workplace.rglob("*"))
    with pytest.raises(FileError, match=message) as caught:
        action()
    assert "\n" not in str(caught.value)
    assert "bad.keras" in str(caught.value)
    assert sorted(workplace.rglob("*")) == before


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_file_is_refused(sound, workplace, name):
    make, message = REFUSED[name]
    bad = workplace / "bad.keras"
    make(sound, bad)
    refuse(lambda: load(bad), workplace, message)
    refuse(lambda: load(bad, compile=False), workplace, message)
    refuse(lambda: convert(bad, "out.keras"), workplace, message)


# What only shows when the layers are built; still before anything is allocated or trained.
UNFIT = {
    "wrong shape": (hostile.with_weights(hostile.resized((6, 5))), "cannot rebuild the model"),
    "transposed": (hostile.with_weights(hostile.resized((4, 6))), "object <Dense name=hidden"),
    "variable missing": (
        hostile.with_weights(lambda file: file["layers/dense/vars"].__delitem__("0")),
        "expected 2 variables, but received 1",
    ),
    "optimizer state cut": (
        hostile.with_weights(lambda file: file["optimizer/vars"].__delitem__("5")),
        r"the file holds 9 variables of the optimizer, but 'adam\w*' has 10",
    ),
    "more units than weights": (
        hidden(units=2**31 - 1),
        r"'hidden' declares a weight of shape \(6, 2147483647\)",
    ),
    "unknown argument": (hidden(no_such_argument=1), "cannot rebuild the model: TypeError"),
    "no such class": (
        hostile.add_layer(keras_object("NoSuchLayer", "keras.layers")),
        "cannot rebuild the model: ValueError: Could not deserialize 'keras.layers.NoSuchLayer'",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_file_that_does_not_fit_together_is_refused(sound, workplace, name):
    make, message = UNFIT[name]
    bad = workplace / "bad.keras"
    make(sound, bad)
    refuse(lambda: load(bad), workplace, message)


def test_bytecode_of_these_tests_would_run(sound, workplace):
    """Without safe mode the planted lambda does what it is said to do: the refusals are not vacuous."""
    bad = workplace / "bad.keras"
    hostile.add_layer(LAMBDA)(sound, bad)
    config = json.loads(hostile.read_members(bad)[CONFIG])
    layer = hostile.layers(config)[4]
    built = keras.saving.deserialize_keras_object(layer, safe_mode=False)
    built(keras.ops.ones((1,)))
    assert (workplace / "work" / CANARY).exists()


def test_sound_file_of_these_tests_is_accepted(sound, workplace):
    path = workplace / "sound.keras"
    hostile.pack(path, sound)
    assert load(path).compiled
    assert describe(path).members["assets/a"] == b"kept"


def test_limits_are_the_callers(sound, workplace):
    path = workplace / "bad.keras"
    hostile.pack(path, sound)
    refuse(lambda: describe(path, limits=Limits(total_bytes=999)), workplace, "at most 999 are")
