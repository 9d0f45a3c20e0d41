"""The metrics in a training's state, on PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from portable_models._backend.program import State, scalar_logs


class Metrics:
    """The metrics of a model, whose variables are part of a state.

    Args:
        model: a built and compiled model.
        variables: those whose values are the state.
    """

    def __init__(self, model: Any, variables: Sequence[Any]) -> None:
        self._model = model
        self._variables = variables
        self._zeroed: dict[int, Any] = {}

    def prepare(self, state: State) -> None:
        """Find out with which values the metrics begin."""
        with self._scope(state) as scope:
            self._model.reset_metrics()
        measured = {id(variable) for variable in self._model.metrics_variables}
        self._zeroed = {
            place: scope.get_current_value(variable)
            for place, variable in enumerate(self._variables)
            if id(variable) in measured
        }

    def reset(self, state: State) -> State:
        """The state of one member, or of all of them stacked, with its metrics at their beginning."""
        return [
            self._zeroed[place].expand_as(value) if place in self._zeroed else value
            for place, value in enumerate(state)
        ]

    def results(self, state: State) -> dict[str, Any]:
        """The results of the metrics of one member."""
        with self._scope(state):
            return scalar_logs(self._model.get_metrics_result())

    def _scope(self, state: State) -> Any:
        return keras.StatelessScope(state_mapping=list(zip(self._variables, state, strict=True)))
