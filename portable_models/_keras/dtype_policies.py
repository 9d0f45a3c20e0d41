"""The dtypes that a dtype policy stands for."""

from __future__ import annotations

from collections.abc import Callable

import keras


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
