"""Work beside a training: proofs, which nothing waits for until it has ended.

While a program runs on the device, Python is idle, and often a core is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from portable_models._backend import current

Found = TypeVar("Found")


class Beside:
    """What is left to it is done in a thread of its own, where the backend lets one; else at once.

    Made by :func:`beside`.
    """

    def __init__(self, threads: ThreadPoolExecutor | None) -> None:
        self._threads = threads
        self._left: list[Callable[[], None]] = []

    def leave(self, work: Callable[..., Found], *given: Any) -> Callable[[], Found]:
        """Leave ``work(*given)`` for the time of a training.

        Returns:
            What waits for it, and gives or raises what it does.
        """
        if self._threads is None:
            found = work(*given)
            return lambda: found
        future: Future[Found] = Future()
        self._left.append(partial(_fulfil, future, work, given))
        return partial(self._wait, future)

    def begin(self) -> None:
        """Do what was left: a training begins. Before, Python has its hands full with tracing."""
        if self._threads is not None:
            for work in self._left:
                self._threads.submit(work)
            self._left.clear()

    def _wait(self, future: Future[Found]) -> Found:
        self.begin()
        return future.result()


_innermost: ContextVar[Beside | None] = ContextVar("_innermost", default=None)


@contextlib.contextmanager
def beside() -> Iterator[Beside]:
    """Who works beside a training; inside of another ``beside``, the same one. Waits at the end."""
    if (outer := _innermost.get()) is not None:
        yield outer
        return
    with contextlib.ExitStack() as stack:
        threads = None
        if current().computes_in_threads:
            threads = stack.enter_context(ThreadPoolExecutor(1, "beside-a-training"))
        made = Beside(threads)
        stack.callback(_innermost.reset, _innermost.set(made))
        yield made


def _fulfil(future: Future[Found], work: Callable[..., Found], given: tuple[Any, ...]) -> None:
    try:
        future.set_result(work(*given))
    except BaseException as error:
        future.set_exception(error)
