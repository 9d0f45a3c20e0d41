"""Whether a model's layers learn that they are trained, also where Keras runs ``call`` by itself."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from backends_matrix.check.worker.recorder import StageSkipped
from backends_matrix.check.worker.subject import Subject, flat_arrays
from portable_models._keras.calls import call_in_training, names_training


def compare_ways_to_train(subject: Subject) -> dict[str, Any]:
    """Whether ``stateless_call``, by which Keras trains on JAX, gives what a call gives.

    A call of the model tells its layers that they are trained. ``stateless_call`` runs ``call`` by itself, so
    that layers to which ``call`` does not hand ``training`` compute as in inference.

    Returns:
        ``lost``; name and class of the model; file and line of its ``call``.

    Raises:
        StageSkipped: the model has no ``call`` of its own that is told of training.
    """
    model = subject.model
    owner = next(kind for kind in type(model).__mro__ if "call" in vars(kind))
    call = vars(owner)["call"]
    if owner.__module__.startswith("keras.") or not names_training(model):
        raise StageSkipped("the model has no call of its own that is told of training")
    x = subject.tensors(subject.x)
    subject.restore()
    alone, _ = model.stateless_call(
        [each.value for each in model.trainable_variables],
        [each.value for each in model.non_trainable_variables],
        x,
        training=True,
    )
    subject.restore()
    called = call_in_training(model, x)
    subject.restore()
    pairs = zip(flat_arrays(alone), flat_arrays(called), strict=True)
    return {
        # Not to the last bit: the two may round otherwise.
        "lost": not all(
            np.allclose(one, other, 1e-4, 1e-5, equal_nan=True) for one, other in pairs
        ),
        "name": model.name,
        "class": type(model).__name__,
        "file": inspect.getsourcefile(owner) or "",
        "line": inspect.getsourcelines(call)[1],
    }
