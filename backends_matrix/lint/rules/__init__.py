"""The rules, one file for each group; importing them makes them subscribe."""

from backends_matrix.lint.rules import control_flow, frameworks, randomness, shapes, state

LOADED = (frameworks, control_flow, state, randomness, shapes)
