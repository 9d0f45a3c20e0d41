"""Which files are the user's: an environment inside of the user's folder is not."""

import sysconfig

import pytest

from backends_matrix.check.diagnosis.source import read_suspicions
from backends_matrix.check.worker.failure import is_users

ENV = "/env/lib/python3.11/site-packages"
PROJECT = "/home/me/project"


@pytest.mark.parametrize(
    ("file", "root", "expected"),
    [
        (f"{PROJECT}/model.py", PROJECT, True),
        ("/home/me/other/layers.py", PROJECT, True),
        (f"{PROJECT}/.venv/lib/python3.11/site-packages/keras/ops.py", PROJECT, False),
        (f"{PROJECT}/env/lib/python3/dist-packages/keras/ops.py", PROJECT, False),
        (f"{ENV}/package/layer.py", f"{ENV}/package", True),
        (f"{ENV}/packages/layer.py", f"{ENV}/package", False),
        (f"{sysconfig.get_path('stdlib')}/json/decoder.py", "", False),
        (f"{sysconfig.get_path('stdlib')}/json/decoder.py", "/", False),
        ("<string>", PROJECT, False),
    ],
)
def test_what_is_the_users(file, root, expected):
    assert is_users(file, root) is expected


def test_every_kind_of_argument_may_have_a_default(tmp_path):
    source = tmp_path / "layer.py"
    source.write_text(
        "import keras\n\n"
        "class Own(keras.layers.Layer):\n"
        "    def call(self, x=None, power=2, /, more=1, *rest, axis=-1, other, **named):\n"
        "        if axis > 0 or more > 0 or power > 0:\n"
        "            return x\n"
        "        if other > 0:\n"
        "            return x\n"
        "        return -x\n"
    )
    found = read_suspicions([str(source)])
    # A number as default says that it is a setting; other may be a tensor, and a tensor has no truth value.
    assert [each.line for each in found if each.rule == "tensor-branch"] == [7]
