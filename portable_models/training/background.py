"""Background work of a training: digests, which nothing waits for until it has ended.

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


class BackgroundWork:
    """Functions that run in a thread of their own, where the backend lets one; else at once.

    Made by :func:`background_work`.
    """

    def __init__(self, threads: ThreadPoolExecutor | None) -> None:
        self._threads = threads
        self._left: list[Callable[[], None]] = []

    def submit(self, function: Callable[..., Found], *given: Any) -> Callable[[], Found]:
        """Call ``function(*given)`` in the background, once the training has begun.

        Returns:
            A function that waits for the result, and returns or raises it.
        """
        if self._threads is None:
            found = function(*given)
            return lambda: found
        future: Future[Found] = Future()
        self._left.append(partial(_fulfil, future, function, given))
        return partial(self._wait, future)

    def start(self) -> None:
        """Run what was submitted: a training begins. Before that, Python is busy with tracing."""
        if self._threads is not None:
            for work in self._left:
                self._threads.submit(work)
            self._left.clear()

    def _wait(self, future: Future[Found]) -> Found:
        self.start()
        return future.result()


_innermost: ContextVar[BackgroundWork | None] = ContextVar("_innermost", default=None)


@contextlib.contextmanager
def background_work() -> Iterator[BackgroundWork]:
    """The background work of a training; inside of another one, the same. Waits at the end."""
    if (outer := _innermost.get()) is not None:
        yield outer
        return
    with contextlib.ExitStack() as stack:
        threads = None
        if current().computes_in_threads:
            threads = stack.enter_context(ThreadPoolExecutor(1, "background-work"))
        made = BackgroundWork(threads)
        stack.callback(_innermost.reset, _innermost.set(made))
        yield made


def _fulfil(future: Future[Found], function: Callable[..., Found], given: tuple[Any, ...]) -> None:
    try:
        future.set_result(function(*given))
    except BaseException as error:
        future.set_exception(error)
