"""Errors planted in what a child process writes; the artifact's name says which: ``FAULT-MODEL-…``.

Named by ``--import``, so that it is there before the child writes anything. Each error is one that a
converter could make without a word.
"""

import importlib
from dataclasses import replace

import keras

from portable_models._keras.layers import all_layers
from portable_models.export.inspection import View
from portable_models.export.routes import ROUTES


class Tampered(View):
    """A model whose inputs are changed on their way in."""

    def __call__(self, inputs):
        return super().__call__(type(self).change(self, list(inputs)))


class Swapped(Tampered):
    def change(self, inputs):
        return inputs[::-1]


class Clipped(Tampered):
    """The upper part of the range is lost: half of the bytes, the last token, features beyond 2."""

    def change(self, inputs):
        return [
            keras.ops.cast(keras.ops.minimum(value, _top(tensor)), value.dtype)
            for value, tensor in zip(inputs, self.signature.inputs, strict=True)
        ]


def _top(tensor):
    if tensor.limit:
        return tensor.limit - 2
    return 127 if tensor.dtype == "uint8" else 2


def epsilon(seen):
    for layer in all_layers(seen.model):
        if isinstance(layer, keras.layers.BatchNormalization | keras.layers.LayerNormalization):
            # The defaults of other libraries: 1e-5 for 1e-3.
            layer.epsilon = 1e-5
    return seen


def swapped(seen):
    return Swapped(**vars(seen))


def clipped(seen):
    return Clipped(**vars(seen))


def frozen(seen):
    inputs = [replace(t, shape=(17, *t.shape[1:]), symbols=()) for t in seen.signature.inputs]
    return replace(seen, signature=replace(seen.signature, inputs=tuple(inputs)))


def mask(seen):
    """Every step counts. A functional model holds its mask as an operation of the graph."""
    for operation in seen.model.operations:
        if type(operation).__name__ == "NotEqual":
            operation.call = lambda x1, x2: keras.ops.ones_like(x1, dtype="bool")
            return seen
    raise AssertionError("the model has no mask")


def kernel(seen):
    for layer in all_layers(seen.model):
        found = getattr(layer, "kernel", None)
        if found is not None and found.shape[0] == found.shape[1]:
            axes = (1, 0, *range(2, len(found.shape)))
            found.assign(keras.ops.transpose(keras.ops.convert_to_tensor(found), axes))
            return seen
    raise AssertionError("the model has no square kernel")


def statistics(seen):
    for layer in all_layers(seen.model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(keras.ops.zeros(layer.moving_mean.shape))
            layer.moving_variance.assign(keras.ops.ones(layer.moving_variance.shape))
    return seen


FAULTS = {
    made.__name__: made for made in (epsilon, swapped, clipped, frozen, mask, kernel, statistics)
}


def plant(module, name):
    write = getattr(module, name)

    def planted(seen, path, source):
        return write(FAULTS[path.name.partition("-")[0]](seen), path, source)

    setattr(module, name, planted)


for route in ROUTES.values():
    for way in route.ways:
        target = importlib.import_module(way.module or route.module)
        if getattr(target, way.writer).__name__ != "planted":
            plant(target, way.writer)
