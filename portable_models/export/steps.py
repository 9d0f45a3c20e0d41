"""What is done on the way to a target, and what a target cannot hold, in words that a person reads."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """What the child process does on the way; the value is what a person reads."""

    LOAD = "load the .keras file without its compile settings"
    UNROLL = "unroll recurrent layers"
    SPLIT = "add up long sums of Dense layers in blocks"
    CALL = "call the model once"
    FUNCTION = "trace tf.function with a free batch"
    SAVED_MODEL = "write a SavedModel with a serving signature"
    TF2ONNX = "convert with tf2onnx, opset 18"
    FROZEN = "freeze what the function captured"
    TORCH_ONNX = "convert with torch.onnx, opset 18"
    OPENVINO = "convert the SavedModel to OpenVINO IR, weights in float32"
    LITERT = "convert the SavedModel to LiteRT, built-in operations only"
    TORCH_EXPORT = "torch.export with a free batch"
    TORCH_MODULE = "translate the layers to torch.nn and the weights to safetensors"
    JAX_EXPORT = "jax.export with a symbolic batch for cpu and cuda, with first derivatives"


class Limit(StrEnum):
    """A trait of a model that some target cannot hold; the value is the reason a person reads."""

    STATEFUL = (
        "the model keeps state between calls (a recurrent layer with stateful=True), "
        "and an exported function has no memory; build it with stateful=False and carry the states "
        "yourself: give the layer return_state=True and initial_state=, and make the states inputs and "
        "outputs of the model"
    )
    FREE_LENGTH = (
        "a recurrent layer runs over an axis of any length, and this target holds recurrence only "
        "unrolled, so with a fixed length; give the Input a length, or export one with --size length=N"
    )
    STRINGS = (
        "the model takes strings, and this target holds numbers only; cut the layer that reads strings off, "
        "export the numeric part, and ship the layer's get_vocabulary() beside it, or take --to saved_model"
    )
    DOUBLE = (
        "the model computes in float64, and this target would compute it in float32; "
        "build the model with float32"
    )
    UNKNOWN_LAYER = "a layer has no translation into plain torch.nn"
