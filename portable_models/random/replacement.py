"""Functions of Keras that are replaced for as long as a thread asks for it, and in that thread only.

Keras looks its random functions up in modules and classes that all threads share. So a function is replaced
by one that asks which thread calls it: a thread that has asked for the replacement gets it, every other
thread gets Keras's own function.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Function = Callable[..., Any]


class Place(NamedTuple):
    """Where a function is looked up, and what stands there for threads that ask for it.

    Args:
        owner: a module or class.
        name: the function's name in it.
        function: called with the arguments of the function that it replaces.
    """

    owner: Any
    name: str
    function: Function


class _Thread(threading.local):
    """What a thread has asked for. torch.compile reads and guards an attribute, but no ContextVar."""

    depth = 0


class Replacement:
    """Puts functions in place while at least one thread holds it, counted under a lock.

    Args:
        places: the functions; each owner holds a function of that name itself.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._lock = threading.RLock()
        self._holders: set[object] = set()
        # Place -> (the function that stands there, the original that it goes on to).
        self._standing: dict[int, tuple[Function, Function]] = {}
        self._thread = _Thread()

    def acquire(self, holder: object) -> None:
        """Let the calling thread use the replacements until ``release(holder)``.

        Args:
            holder: an object of the caller's own, for one ``acquire``.
        """
        with self._lock:
            self._holders.add(holder)
            self._thread.depth += 1
            for number, place in enumerate(self._places):
                self._install(number, place)

    def release(self, holder: object) -> None:
        """Undo ``acquire``, in the same thread; without one, or a second time, nothing is done."""
        with self._lock:
            if holder not in self._holders:
                return
            # The functions first: if Ctrl-C comes between, the holder is still there for another try.
            if self._holders == {holder}:
                for number, place in enumerate(self._places):
                    self._remove(number, place)
            self._thread.depth -= 1
            self._holders.discard(holder)

    def _install(self, number: int, place: Place) -> None:
        found = vars(place.owner)[place.name]
        standing, _ = self._standing.get(number, (None, None))
        # It stands there already for another thread, or since other code has put it back: it still works.
        if found is not standing:
            made = self._dispatching(found, place.function)
            self._standing[number] = made, found
            setattr(place.owner, place.name, made)

    def _remove(self, number: int, place: Place) -> None:
        standing, original = self._standing[number]
        # Other code may have wrapped the function meanwhile: its wrapper stays, and goes on to the original.
        if vars(place.owner)[place.name] is standing:
            setattr(place.owner, place.name, original)

    def _dispatching(self, original: Function, replacement: Function) -> Function:
        thread = self._thread

        @functools.wraps(original)
        def call(*args: Any, **settings: Any) -> Any:
            function = replacement if thread.depth else original
            return function(*args, **settings)

        return call
