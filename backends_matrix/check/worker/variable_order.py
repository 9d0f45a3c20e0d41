"""One order of variables for all processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def numbered(paths: Sequence[str]) -> list[tuple[str, int]]:
    """Every path with how often it came before."""
    seen: dict[str, int] = {}
    found = []
    for path in paths:
        found.append((path, seen.get(path, 0)))
        seen[path] = seen.get(path, 0) + 1
    return found


class VariableOrder:
    """The order in which the reference process has its variables.

    Arrays go from one process to another as lists. Keras orders the layers of a model, and with them its
    variables, otherwise on PyTorch where a Functional subclass makes its layers before it calls
    ``super().__init__(inputs, outputs)``.

    Args:
        paths: of the reference's variables. Of several with one path, the first is the first everywhere.
    """

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._places = {path: place for place, path in enumerate(numbered(paths))}

    def sort(self, variables: Sequence[Any]) -> list[Any]:
        """The variables in the reference's order; as they are where it has others."""
        return [variables[place] for place in self.places(variables)]

    def places(self, variables: Sequence[Any]) -> list[int]:
        """Where in ``variables`` the first one of the reference's order is, the second, and so on."""
        paths = numbered([each.path for each in variables])
        own = list(range(len(paths)))
        if not set(paths) <= self._places.keys():
            return own
        return sorted(own, key=lambda place: self._places[paths[place]])
