"""The rules, one file for each group; importing them makes them subscribe."""

from backends_matrix.lint.rules import (
    configuration,
    control_flow,
    frameworks,
    imports,
    keras2,
    known_gaps,
    randomness,
    saving,
    shapes,
    state,
)

LOADED = (
    frameworks,
    control_flow,
    state,
    randomness,
    shapes,
    saving,
    configuration,
    imports,
    known_gaps,
    keras2,
)
