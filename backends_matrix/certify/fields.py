"""Read fields of a JSON document that is not trusted: a field of another type ends the reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

LARGEST_COUNT = 2**31
LONGEST_TEXT = 4096
"""Characters."""


class Fields:
    """Reads fields, and names the first that is wrong.

    Args:
        fail: raises an error that says what is wrong.
    """

    def __init__(self, fail: Callable[[str], NoReturn]) -> None:
        self.fail = fail

    def read_object(self, value: Mapping[str, Any], name: str) -> dict[str, Any]:
        """A field that must be an object."""
        found = value.get(name)
        if not isinstance(found, dict):
            self.fail(f"{name} must be an object")
        return found

    def read_list(self, value: Mapping[str, Any], name: str, fewest: int, most: int) -> list[Any]:
        """A field that must be a list of so many entries."""
        found = value.get(name)
        if not isinstance(found, list) or not fewest <= len(found) <= most:
            self.fail(f"{name} must be a list of {fewest} to {most:,} entries")
        return found

    def read_text(self, value: Any, name: str) -> str:
        """A value that must be a text."""
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            self.fail(f"{name} must be a text of at most {LONGEST_TEXT:,} characters")
        return value

    def read_count(self, value: Any, name: str, fewest: int = 0, most: int = LARGEST_COUNT) -> int:
        """A value that must be a whole number in a range."""
        if isinstance(value, bool) or not isinstance(value, int) or not fewest <= value <= most:
            self.fail(f"{name} must be a whole number from {fewest} to {most:,}")
        return value

    def read_number(self, value: Any, name: str) -> float:
        """A value that must be a finite number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(f"{name} must be a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fail(f"{name} must be a finite number")
        return number
