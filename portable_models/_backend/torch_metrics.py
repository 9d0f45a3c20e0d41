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
        after = [scope.get_current_value(variable) for variable in self._variables]
        # What a reset leaves as it is may be of each member its own.
        self._zeroed = {
            place: value
            for place, (variable, value) in enumerate(zip(self._variables, after, strict=True))
            if id(variable) in measured and value is not state[place]
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
