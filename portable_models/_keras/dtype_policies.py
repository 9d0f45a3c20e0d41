"""The dtypes that a dtype policy stands for, and what dtypes promote to."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE


def replace_policy_dtypes(replace: Callable[[str], str]) -> None:
    """Replace the dtypes that every dtype policy stands for, in this process and for good.

    Needed to compute a whole model in float64. The public way is ``keras.config.set_dtype_policy``; a layer
    that names its own policy overrides it. The policies keep their names, because Keras chooses the wrapper
    of an optimizer by the name
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/dtype_policies/dtype_policy.py).

    Args:
        replace: takes a compute dtype or variable dtype, returns the dtype to use.
    """
    parse = keras.DTypePolicy._parse_name

    def parse_and_replace(self: keras.DTypePolicy, name: str) -> tuple[str, str]:
        compute, variables = parse(self, name)
        return replace(compute), replace(variables)

    keras.DTypePolicy._parse_name = parse_and_replace


def promote_to_float64() -> None:
    """Let float64 and float32 promote to float64 on every backend, in this process and for good.

    Needed to compute a whole model in float64: Keras promotes them to float32 on JAX and PyTorch, whatever
    JAX is set to, so BatchNormalization computes in float32 there. No public way changes it
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/common/dtypes.py).
    """
    BIT64_TO_BIT32_DTYPE["float64"] = "float64"
