"""The ways in which the running backend executes a function of tensors."""

import importlib

import keras
import numpy as np
import pytest

from portable_models._backend import current
from portable_models.data.samples import digest_arrays
from portable_models.random.words import tensor_operations


def eagerly(function):
    return function


def one_by_one(function):
    """Through the backend's own operations where NumPy would compute."""

    def run(*arguments):
        with tensor_operations():
            return function(*arguments)

    return run


def as_tensorflow_graph(function):
    return importlib.import_module("tensorflow").function(function, autograph=False)


def through_dynamo(function):
    # The whole of torch.compile but its code generation, which takes seconds for each function.
    torch = importlib.import_module("torch")
    torch.compiler.reset()
    return torch.compile(function, fullgraph=True, backend="aot_eager")


WAYS = {
    "jax": [eagerly, one_by_one, current().compiled],
    "tensorflow": [eagerly, one_by_one, as_tensorflow_graph, current().compiled],
    "torch": [eagerly, one_by_one, through_dynamo],
}


@pytest.fixture(params=WAYS[keras.backend.backend()], ids=lambda way: way.__name__)
def way(request):
    """A function that wraps another: how its tensors are computed."""
    return request.param


@pytest.fixture
def seed():
    """A seed as ``SeedGenerator.next()`` gives it, of a type that all backends convert alike."""
    return keras.ops.convert_to_tensor([5, 0], dtype="int32")


@pytest.fixture
def digest():
    """Twelve digits of the SHA-256 of tensors, over their dtypes, shapes and bytes."""

    def of(*tensors):
        arrays = [np.asarray(keras.ops.convert_to_numpy(tensor)) for tensor in tensors]
        return digest_arrays(*arrays)[:12]

    return of
