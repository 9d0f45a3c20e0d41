"""Hostile and broken files: each made from a sound one by one change.

Every maker takes the members of a sound file and the path of the bad one to write.
"""

import io
import json
import marshal
import stat
import struct
import zipfile
from base64 import b64encode
from pathlib import Path

import h5py
import numpy as np

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def pack(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def with_config(change):
    """A maker that lets ``change`` alter the parsed configuration in place."""

    def make(members, path):
        config = json.loads(members[CONFIG])
        change(config)
        pack(path, members | {CONFIG: json.dumps(config).encode()})

    return make


def with_weights(change):
    """A maker that lets ``change`` alter the open HDF5 file."""

    def make(members, path):
        buffer = io.BytesIO(members[WEIGHTS])
        with h5py.File(buffer, "r+") as file:
            change(file)
        pack(path, members | {WEIGHTS: buffer.getvalue()})

    return make


def with_member(name, content):
    return lambda members, path: pack(path, members | {name: content})


def without(name):
    return lambda members, path: pack(path, {k: v for k, v in members.items() if k != name})


def with_bytes(change):
    """A maker that lets ``change`` alter the bytes of the whole file."""

    def make(members, path):
        pack(path, members)
        path.write_bytes(change(path.read_bytes()))

    return make


def bytecode(canary):
    """What Keras writes for a lambda; called, it makes the file ``canary``."""
    code = compile(f"lambda x: (open({str(canary)!r}, 'w').close(), x)[1]", "lambda", "eval")
    code = b64encode(marshal.dumps(code.co_consts[0])).decode()
    return {
        "class_name": "__lambda__",
        "config": {"value": {"code": code, "defaults": None, "closure": None}},
    }


def lambda_layer(canary):
    """A Lambda layer that runs when the model is built."""
    function = bytecode(canary)
    # Keras looks for the code one level higher in a Lambda layer than elsewhere.
    function["config"] = function["config"]["value"]
    config = {"name": "innocent", "function": function, "output_shape": None}
    return keras_object("Lambda", "keras.layers", config)


def keras_object(name, module, config=None, registered=None):
    return {
        "module": module,
        "class_name": name,
        "config": config or {},
        "registered_name": registered,
    }


def layers(config):
    return config["config"]["layers"]


def add_layer(layer):
    return with_config(lambda config: layers(config).append(layer))


def linked_member(members, path):
    pack(path, members)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")


def member_twice(name):
    def make(members, path):
        pack(path, members)
        with zipfile.ZipFile(path, "a") as archive:
            # zipfile warns of a double name, so the second one is renamed in the bytes.
            archive.writestr("?" * len(name), members.get(name, b""))
        path.write_bytes(path.read_bytes().replace(b"?" * len(name), name.encode()))

    return make


def lying_size(members, path):
    """A deflated member that unpacks to more than the directory declares."""
    pack(path, members | {"assets/big": b"x" * 4000}, zipfile.ZIP_DEFLATED)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", 4000), struct.pack("<I", 40)))


def overlapping_members(members, path):
    """Two entries of the directory that point to one place."""
    pack(path, members | {"assets/one": b"x" * 5000, "assets/two": b"x" * 5000})
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        one, two = (archive.getinfo(f"assets/{name}").header_offset for name in ("one", "two"))
    start = raw.index(b"PK\x01\x02")
    directory = raw[start:].replace(struct.pack("<I", two), struct.pack("<I", one))
    path.write_bytes(raw[:start] + directory)


def encrypted(members, path):
    pack(path, members)
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    path.write_bytes(raw[: start + 8] + b"\x01\x00" + raw[start + 10 :])


def nested(depth):
    return b'{"class_name": ' + b"[" * depth + b"]" * depth + b"}"


def replace_dataset(file, **arguments):
    del file["layers/dense/vars/0"]
    return file["layers/dense/vars"].create_dataset("0", **arguments)


def virtual(file):
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout((6, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (6, 4))
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


def link(target):
    def change(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = target

    return change


def plugin_filter(file):
    """Filter 307 (bzip2) is no part of HDF5: reading it loads a shared library by its number."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((6, 4))
    properties.set_filter(307, h5py.h5z.FLAG_OPTIONAL, ())
    del file["layers/dense/vars/0"]
    space = h5py.h5s.create_simple((6, 4))
    group = file["layers/dense/vars"]
    h5py.h5d.create(group.id, b"0", h5py.h5t.NATIVE_FLOAT, space, properties)


def cycle(file):
    file["layers/dense/up"] = file["layers"]


def resized(shape):
    return lambda file: replace_dataset(file, data=np.zeros(shape, "f4"))


def sizes(members):
    """The sizes of a sound file, for a reader of a failed test."""
    return {name: len(content) for name, content in members.items()}


def read_members(path):
    with zipfile.ZipFile(Path(path)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
