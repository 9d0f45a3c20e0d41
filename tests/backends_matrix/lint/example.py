"""Examples of the rules: small data, expanded by a template into whole modules."""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("examples")

HEAD = """\
import keras
import numpy as np
from keras import layers, ops

{head}

"""
LAYER = """\
{decorator}class Example(layers.Layer):
    def __init__(self, {parameters}**kwargs):
        super().__init__(**kwargs)
{init}
{build}
    def call(self, {signature}):
{call}
{methods}

"""
BUILDER = """\
def build_model():
    inputs = keras.Input((6,))
    h = layers.Dense(4)(inputs)
    y = Example({arguments})(h)
{after}
    outputs = layers.Dense(2)(y)
    return keras.Model(inputs, outputs)

"""
IMAGE = """\
def build_model():
    inputs = keras.Input((8, 7, 3))
    y = {layer}(inputs)
    return keras.Model(inputs, y)

"""
MODEL = """\
@keras.saving.register_keras_serializable("examples")
class ExampleModel(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(2)
{init}

    def call(self, inputs, training=None):
        return self.inner(inputs)

{methods}


def build_model():
    return ExampleModel()

"""
LOSS = """\
@keras.saving.register_keras_serializable("examples")
class ExampleLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
{call}


def build_model():
    return keras.Sequential([keras.Input((6,)), layers.Dense(2)])


def make_loss():
    return ExampleLoss()

"""


@dataclass(frozen=True)
class Example:
    """One example.

    Args:
        rule: code of the rule.
        positive: whether the rule must find something in it.
        title: what it shows.
        text: the whole module.
        random: whether it draws, so that numbers differ between backends by right.
        warns: a word of the warning that Keras gives, where that is the harm.
    """

    rule: str
    positive: bool
    title: str
    text: str
    random: bool = False
    warns: str = ""

    @property
    def id(self) -> str:
        """Name of the test."""
        return f"{self.rule}-{'positive' if self.positive else 'negative'}-{self.title}"


def _block(text: str, depth: int) -> str:
    return textwrap.indent(textwrap.dedent(text).strip("\n"), "    " * depth)


def expand(data: dict[str, Any]) -> str:
    """The module that an example stands for."""
    head = data.get("head", "").strip("\n")
    # Such as numpy, which the template imports already.
    text = HEAD.format(head=head)
    if "run" in data:
        body = data["run"].strip("\n")
        if data.get("top"):
            return text + body + "\n\n\ndef run():\n    return None\n"
        return text + f"def run():\n{_block(body, 1)}\n"
    if "body" in data:
        return text + f"def build_model():\n{_block(data['body'], 1)}\n"
    if "loss" in data:
        return text + LOSS.format(call=_block(data["loss"], 2))
    if "image" in data:
        return text + IMAGE.format(layer=data["image"])
    if "model" in data:
        methods = _block(data["model"], 1)
        text += MODEL.format(init=_block(data.get("model_init", ""), 2), methods=methods)
        if "def call" in data["model"]:
            # The example's own call stands in place of the template's, which it reaches by super().
            text = text.replace(
                "class ExampleModel(keras.Model)", "class PlainModel(keras.Model)", 1
            )
            own = f"class ExampleModel(PlainModel):\n{methods}\n\n\ndef build_model"
            text = text.replace(methods, "", 1).replace(
                "def build_model", f'@keras.saving.register_keras_serializable("own")\n{own}', 1
            )
        return text
    build = data.get("build", "")
    methods = data.get("methods", "").strip("\n")
    if "config" in data:
        methods += (
            f"\n\ndef get_config(self):\n    return {{**super().get_config(), {data['config']}}}"
        )
    call = data.get("image_call") or data["call"]
    text += LAYER.format(
        decorator=""
        if data.get("registered") is False
        else '@keras.saving.register_keras_serializable("examples")\n',
        parameters=data.get("parameters", ""),
        init=_block(data.get("init", ""), 2),
        build=f"    def build(self, input_shape):\n{_block(build, 2)}\n" if build else "",
        signature=data.get("signature", "x, training=None"),
        call=_block(call, 2),
        methods=_block(methods, 1),
    )
    if "image_call" in data:
        return text + IMAGE.format(layer="Example()")
    text += BUILDER.format(
        arguments=data.get("arguments", ""), after=_block(data.get("after", ""), 1)
    )
    if "optimizer" in data:
        text += f"\ndef make_optimizer():\n    return {data['optimizer']}\n"
    if "loss_object" in data:
        text += f"\ndef make_loss():\n    return {data['loss_object']}\n"
    return text


def load() -> list[Example]:
    """All examples."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        for rule, kinds in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for kind, examples in kinds.items():
                found += [
                    Example(
                        rule,
                        kind == "positive",
                        each["title"],
                        expand(each),
                        each.get("random", False),
                        each.get("warns", ""),
                    )
                    for each in examples
                ]
    return found
