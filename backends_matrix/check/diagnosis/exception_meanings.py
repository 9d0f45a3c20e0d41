"""What exceptions of frameworks mean, in the words of somebody who writes models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Meaning:
    """What an exception says.

    Args:
        rule: the kind of mistake, "" where it is none of the known ones.
        reason: one sentence.
        hint: the portable way.
        keras: the failure is Keras's or the backend's own.
        always: also where every backend that was tried fails.
    """

    rule: str
    reason: str
    hint: str = ""
    keras: bool = False
    always: bool = False


_PATTERNS: tuple[tuple[str, Meaning], ...] = (
    (
        r"(train|test|predict)_step\(\) takes",
        Meaning(
            "own-step",
            "the model has a train_step of its own, which is called with (state, data) on JAX and "
            "with (data) elsewhere",
            "override compute_loss(self, x, y, y_pred, sample_weight, training) and keep Keras's train_step",
        ),
    ),
    (
        r"data type 'string' not understood|Invalid dtype: (?:str|bytes|object)\d*|numpy\.str_|"
        r"cannot mix tensors and non-tensors[\s\S]*dtype='?<U|"
        r"could not convert string to float: np\.str_|\(dtype='?<U\d+|type numpy\.str_",
        Meaning(
            "",
            "a string cannot enter a model here: only TensorFlow has tensors of strings",
            "turn strings into integers before the model: call StringLookup, TextVectorization or Hashing on "
            "the data or in a tf.data pipeline, and give the model their ids",
            keras=True,
            always=True,
        ),
    ),
    (
        r"to a TensorFlow DType",
        Meaning(
            "foreign-op",
            "TensorFlow was given a tensor of another framework",
            "use operations of keras.ops only",
        ),
    ),
    (
        r"_error_repr",
        Meaning(
            "foreign-op",
            "JAX met an operation of TensorFlow",
            "use the same operation of keras.ops",
        ),
    ),
    (
        r"TracerBoolConversionError|[Uu]sing a symbolic `?tf\.Tensor`? as a Python `?bool`?|"
        r"truth value of an array|Boolean value of Tensor with more than one value",
        Meaning(
            "tensor-branch",
            "Python asked a tensor for true or false, which has no value while it is traced",
            "use keras.ops.where or keras.ops.cond",
        ),
    ),
    (
        r"TracerArrayConversionError|TracerIntegerConversionError|Cannot convert a symbolic|"
        r"NotImplementedError: numpy\(\) is only available|object has no attribute 'numpy'|"
        r"requires grad\. Use tensor\.detach|ConcretizationTypeError|can't be (?:converted|called).*numpy",
        Meaning(
            "host-value",
            "a tensor's value was asked for where it has none yet: the code is being traced",
            "stay with keras.ops; compute sizes from shapes that are known",
        ),
    ),
    (
        r"NonConcreteBooleanIndexError|nonconcrete boolean|must be statically specified|"
        r"Slice entries must be static integers|"
        r"Shapes must be 1D sequences of concrete values|data-dependent",
        Meaning(
            "dynamic-shape",
            "a shape depends on values, which JAX cannot compile",
            "keep the shape and mask with keras.ops.where",
        ),
    ),
    (
        r"UnexpectedTracerError|leaked|out of scope|is out of scope|from a different graph",
        Meaning(
            "kept-tensor",
            "a tensor of one traced call was used in another: it was kept in an attribute or a global",
            "return it, or keep state in a variable made in build",
        ),
    ),
    (
        r"does not support item assignment|object is immutable|immutable",
        Meaning(
            "in-place",
            "a tensor was assigned into, and tensors of JAX and TensorFlow cannot be changed",
            "use keras.ops.slice_update, keras.ops.scatter_update or keras.ops.where",
        ),
    ),
    (
        r"modified by an inplace operation|a leaf Variable that requires grad",
        Meaning(
            "in-place-operator",
            "a tensor was changed in place while PyTorch needed its value",
            "write x = x + y",
        ),
    ),
    (
        r"Invalid dtype: (<dtype|torch)|Cannot interpret 'torch|Cannot interpret|"
        r"expected Tensor as element|must be Tensor, not|got numpy\.ndarray|is not a valid JAX type|"
        r"cannot be interpreted as.*Tensor|EagerTensor",
        Meaning(
            "foreign-op",
            "an operation of one framework was given a tensor of another",
            "use operations of keras.ops only",
        ),
    ),
    (
        r"not registered|Unknown (?:layer|object|loss|metric)|Could not locate (?:class|function)|"
        r"cannot be loaded|could not load|register_keras_serializable|custom_objects",
        Meaning(
            "unregistered",
            "a class or function of the model is not registered, so another process cannot load it",
            "decorate it with @keras.saving.register_keras_serializable(package=...)",
        ),
    ),
    (
        r"[Ll]ambda",
        Meaning(
            "lambda",
            "a lambda is part of the model: no file with it can be loaded safely",
            "write a registered layer or function",
        ),
    ),
    (
        r"get_config|from_config|unexpected keyword argument|missing \d+ required positional",
        Meaning(
            "config",
            "the configuration does not hold what __init__ takes",
            "add get_config that returns {**super().get_config(), every argument of __init__}",
        ),
    ),
    (
        r"has \d+ variables instead of|variables? .*(?:were|was) never|"
        r"You cannot add new elements of state|Layer '.*' (?:expected|was never built)|"
        r"the file holds the seed generators of",
        Meaning(
            "weights-in-call",
            "weights are made outside of __init__ and build",
            "make layers in __init__ and weights in build",
        ),
    ),
    (
        r"No module named",
        Meaning(
            "missing-package",
            "a package that the model imports is not installed",
            "install it, or do without",
        ),
    ),
    (
        r"not (?:supported|implemented|available) (?:by|with|in|on|for) .*(?:backend|jax|tensorflow|"
        r"torch)|NotImplementedError|is not supported with the",
        Meaning(
            "",
            "the backend does not have this operation",
            "use other operations of keras.ops",
            keras=True,
        ),
    ),
    (
        r"does not require grad and does not have a grad_fn",
        Meaning(
            "no-gradient",
            "PyTorch records no operations, so the loss has no gradient: the model's package has switched "
            "that off (torch.set_grad_enabled, torch.no_grad), or the loss does not depend on a weight",
            "leave torch's gradients switched on, or train inside torch.enable_grad()",
        ),
    ),
    (
        r"No loss to compute",
        Meaning(
            "no-loss",
            "the model has no loss to be trained by",
            "compile it, or define LOSS beside build_model",
        ),
    ),
)


def meaning_of(failure: dict[str, Any]) -> Meaning | None:
    """What an exception means; None where it is not known."""
    text = " ".join(
        [failure.get("type", ""), ": ", failure.get("message", ""), *failure.get("causes", [])]
    )
    for pattern, meaning in _PATTERNS:
        if re.search(pattern, text):
            return meaning
    return None


def first_line(text: str, length: int = 240) -> str:
    """The first line of a message that says something, printable.

    Keras begins with the layer that was called, and says what was wrong in the line after it.
    """
    lines = [each.strip() for each in re.sub(r"\x1b\[\d*m", "", text).splitlines() if each.strip()]
    chosen = lines[:1]
    if chosen and chosen[0].startswith(
        ("Exception encountered when calling", "Error when deserializing")
    ):
        chosen = lines[:2]
    plain = "".join(each if each.isprintable() else " " for each in " ".join(chosen))
    return plain if len(plain) <= length else f"{plain[: length - 1]}…"
