"""The rules, one file for each group; importing them makes them subscribe."""

from backends_matrix.lint.rules import (
    configuration,
    control_flow,
    dynamic_sizes,
    frameworks,
    imports,
    keras2,
    keras2_functions,
    keras2_objects,
    known_gaps,
    outputs,
    randomness,
    saving,
    shapes,
    state,
    tensor_methods,
    training_argument,
    variables_returned,
)

LOADED = (
    frameworks,
    tensor_methods,
    training_argument,
    outputs,
    control_flow,
    state,
    variables_returned,
    randomness,
    shapes,
    dynamic_sizes,
    saving,
    configuration,
    imports,
    known_gaps,
    keras2,
    keras2_functions,
    keras2_objects,
)

__all__ = ["LOADED"]
