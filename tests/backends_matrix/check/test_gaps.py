"""Known gaps are recognised by names, by what an exception says and went through, and by silence."""

import pytest

from backends_matrix.check.gaps import (
    gap_for,
    gap_of_exception,
    gap_of_silence,
    layer_of_exception,
)
from backends_matrix.check.worker.failure import describe
from backends_matrix.check.worker.keras_frames import keras_frames
from portable_models.known_gaps import known_gaps

GAPS = {gap.id: gap for gap in known_gaps()}


def failure(message, *frames, kind="ValueError"):
    """An exception that went through frames of Keras: (class, function, layer)."""
    keys = ("class", "function", "layer")
    known = [dict(zip(keys, frame, strict=True)) for frame in frames]
    return {"type": kind, "message": message, "causes": [], "keras_frames": known}


@pytest.mark.parametrize(
    ("backend", "names", "check", "gap"),
    [
        ("jax", ["Absolute"], "gradients", "abs-at-zero"),
        ("torch", ["Absolute"], "gradients", None),
        ("jax", ["Absolute"], "outputs", None),
        ("torch", ["Activation", "hard_tanh"], "gradients", "hard-tanh-at-bound"),
        ("tensorflow", ["Dense", "selu"], "one step", "selu-at-zero"),
        ("tensorflow", ["Dense", ""], "one step", None),
        ("tensorflow", ["binary_crossentropy:activation"], "loss", "crossentropy-from-activation"),
        ("tensorflow", ["binary_crossentropy:logits_of_activation"], "loss", "logits-of-an-activation"),
        ("tensorflow", ["binary_focal_crossentropy:from_logits"], "loss", "focal-from-logits"),
        ("tensorflow", ["binary_crossentropy:from_logits"], "loss", None),
        ("tensorflow", ["own:binary_crossentropy"], "loss", "crossentropy-in-own-loss"),
        ("jax", ["loss:CosineSimilarity"], "compile config", "loss-config"),
        ("jax", ["metric:CosineSimilarity"], "compile config", "cosine-metric-config"),
        # Entries of exceptions explain no numbers.
        ("torch", ["LSTM"], "resume training", None),
    ],
)  # fmt: skip
def test_a_difference_is_recognised_by_backend_name_and_check(backend, names, check, gap):
    found = gap_for(backend, names, check)
    assert (found.id if found else None) == gap


def test_the_closest_name_decides():
    found = gap_for("tensorflow", ["Selu", "Celu"], "gradients")
    assert found.id == "selu-at-zero"
    assert gap_for("tensorflow", ["Celu", "Selu"], "gradients").id == "celu-at-zero"


def test_an_exception_is_recognised_by_its_words_and_its_way():
    frames = [("Dense", "__call__", "body/dense"), ("OrthogonalRegularizer", "__call__", "")]
    said = failure("num_rows and num_columns must be positive", *frames)
    gap = gap_of_exception("tensorflow", said, [], "fit runs")
    assert gap.id == "orthogonal-activity"
    assert layer_of_exception(said, gap) == "body/dense"
    assert gap_of_exception("jax", said, [], "fit runs") is None
    assert gap_of_exception("tensorflow", failure("other words", *frames), [], "fit runs") is None
    assert gap_of_exception("tensorflow", failure("num_rows"), [], "fit runs") is None


def test_a_layer_that_was_found_by_itself_is_a_name_too():
    said = failure("has been modified by an inplace operation", kind="RuntimeError")
    assert gap_of_exception("torch", said, ["LSTM"], "gradients run").id == "stateful-recurrent"
    assert gap_of_exception("torch", said, ["Penalty"], "gradients run") is None


def test_the_name_that_a_message_says_is_the_place():
    said = failure("Could not interpret optimizer identifier: lamb", ("", "get", ""))
    gap = gap_of_exception("jax", said, [], "build")
    assert gap.id == "names-keras-lacks"
    assert layer_of_exception(said, gap) == "lamb"


def test_a_backend_that_is_silent_has_the_gap_and_not_those_that_raise():
    frames = [("", "sparse_categorical_crossentropy", "")]
    said = failure("Target 3 is out of bounds.", *frames, kind="IndexError")
    assert gap_of_silence("torch", said, "fit runs").id == "sparse-label-out-of-range"
    assert gap_of_silence("jax", said, "fit runs") is None
    assert gap_of_silence("torch", failure("Target 3 is out of bounds."), "fit runs") is None


def test_frames_of_keras_are_named_with_their_objects():
    space = {"__name__": "keras.somewhere"}
    exec("class Norm:\n  def call(self): raise ValueError('no')\ndef run(o): o.call()", space)
    with pytest.raises(ValueError, match="no") as caught:
        space["run"](space["Norm"]())
    found = [(each["class"], each["function"]) for each in keras_frames([caught.value])]
    assert found == [("", "run"), ("Norm", "call")]
    assert describe(caught.value)["keras_frames"][-1]["function"] == "call"


def test_every_gap_that_fails_a_check_can_be_recognised():
    for gap in GAPS.values():
        assert gap.layers, gap.id
        assert not (gap.raises and gap.raises_elsewhere), gap.id
