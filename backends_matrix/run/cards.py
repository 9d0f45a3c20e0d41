"""The accelerators of this machine, found without a framework, and which worker computes on which."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portable_models._backend.base import Backend

_QUERY = ("nvidia-smi", "--query-gpu=index,driver_version", "--format=csv,noheader")
_SECONDS = 20.0
_DRIVER = Path("/proc/driver/nvidia/version")


def query_cards() -> Sequence[str]:
    """Lines of ``index, driver`` for each NVIDIA card; none where ``nvidia-smi`` is missing or fails."""
    try:
        done = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return [line for line in done.stdout.splitlines() if line.strip()]


def visible_cards(
    environment: Mapping[str, str] | None = None, query: Callable[[], Sequence[str]] = query_cards
) -> list[str]:
    """What ``CUDA_VISIBLE_DEVICES`` calls the cards that this process may use, in order.

    Args:
        environment: variables of the process; ``os.environ`` if None.
        query: asks for the cards of the machine.
    """
    given = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        # CUDA reads the list up to the first name that is no card.
        end = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
        return names[:end]
    return [line.partition(",")[0].strip() for line in query()]


def driver_version() -> str | None:
    """The version of NVIDIA's driver, as the kernel tells it; None where there is none."""
    try:
        first = _DRIVER.read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return None
    # "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 ..."
    words = first.split()
    return next((word for word in words if word[0].isdigit() and word.count(".") >= 1), None)


def describe_accelerator(backend: Backend) -> dict[str, Any]:
    """The card, its driver, and what makes its numbers repeat, which is set; nothing on a CPU."""
    card = dict(backend.describe_card())
    if not card:
        return {}
    driver = driver_version()
    return {
        "card": card | ({} if driver is None else {"driver": driver}),
        "determinism": dict(backend.require_determinism()),
    }


@dataclass(frozen=True)
class Placement:
    """Where workers compute.

    Args:
        cards: backend -> what ``CUDA_VISIBLE_DEVICES`` calls its card. A backend that is not in it sees what
            the parent sees.
        exclusive: whether only one worker at a time computes on a card (or on all TPUs: their library serves
            one process).
    """

    cards: Mapping[str, str] = field(default_factory=dict)
    exclusive: bool = False


def place(
    backends: Sequence[str], device: str, jobs: int | None, cards: Sequence[str]
) -> Placement:
    """Spread backends over the cards; workers share a card at the same time only where ``jobs`` was given.

    Args:
        backends: the backends that take part.
        device: cpu, gpu or tpu.
        jobs: how many workers the user wants at a time, or None.
        cards: as :func:`visible_cards` gives them; empty where they are not known.
    """
    if device == "cpu":
        return Placement()
    spread = {
        backend: cards[number % len(cards)]
        for number, backend in enumerate(backends)
        if device == "gpu" and cards
    }
    return Placement(spread, exclusive=jobs is None)


class Gates:
    """Lets workers compute: at most so many at a time, and one on a card where that is wanted.

    Args:
        jobs: how many workers compute at a time.
        placement: where they compute.
    """

    def __init__(self, jobs: int, placement: Placement) -> None:
        self._jobs = asyncio.Semaphore(jobs)
        self._placement = placement
        self._cards: dict[str, asyncio.Lock] = {}

    @property
    def exclusive(self) -> bool:
        """Whether a worker must leave its card before another one begins there."""
        return self._placement.exclusive

    @contextlib.asynccontextmanager
    async def turn(self, backend: str) -> AsyncIterator[None]:
        """Inside, a worker of this backend may compute."""
        async with AsyncExitStack() as stack:
            if self.exclusive:
                card = self._placement.cards.get(backend, "")
                await stack.enter_async_context(self._cards.setdefault(card, asyncio.Lock()))
            # After the card, so that nobody waits for a card and keeps others from computing.
            await stack.enter_async_context(self._jobs)
            yield
