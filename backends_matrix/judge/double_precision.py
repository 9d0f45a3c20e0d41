"""A process that computes in float64 throughout, whatever precision a model asks for."""

from __future__ import annotations


def compute_in_float64() -> None:
    """Make every policy of floating-point numbers one of float64, in this process and for good.

    A policy keeps its name, since Keras decides by it what an optimizer is wrapped in. A model that asks for
    ``mixed_bfloat16``, by itself or through the global policy, is then computed as one that does not.
    """
    import keras

    from portable_models._keras.dtype_policies import promote_to_float64, replace_policy_dtypes

    keras.config.set_floatx("float64")
    replace_policy_dtypes(lambda dtype: "float64" if "float" in dtype else dtype)
    promote_to_float64()
