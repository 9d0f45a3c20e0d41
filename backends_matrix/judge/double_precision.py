"""A process that computes in float64 throughout, whatever precision a model asks for."""

from __future__ import annotations

from typing import Any


def compute_in_float64() -> None:
    """Make every policy of floating-point numbers one of float64, in this process and for good.

    A policy keeps its name, since Keras decides by it what an optimizer is wrapped in. A model that asks for
    ``mixed_bfloat16``, by itself or through the global policy, is then computed as one that does not.
    """
    import keras

    keras.config.set_floatx("float64")
    # Where a policy's name becomes types; Keras 3.15 has no public place to come between.
    parse = keras.DTypePolicy._parse_name

    def in_float64(self: Any, name: Any) -> tuple[str, str]:
        compute, variables = parse(self, name)
        kinds = (compute, variables)
        first, second = ("float64" if "float" in kind else kind for kind in kinds)
        return first, second

    keras.DTypePolicy._parse_name = in_float64
