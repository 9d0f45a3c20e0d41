"""Calls the command, for the tests."""

import json

from click.testing import CliRunner

from backends_matrix.cli import main

LAYER = """\
import keras
import numpy as np


class Example(keras.layers.Layer):
    def call(self, x):
        return np.exp(x)
"""
IF = LAYER.replace("return np.exp(x)", "return x if keras.ops.sum(x) > 0 else -x")


def lint(*arguments):
    return CliRunner().invoke(main, ["lint", *arguments])


def findings(*arguments):
    done = lint(*arguments, "--format", "json")
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)
