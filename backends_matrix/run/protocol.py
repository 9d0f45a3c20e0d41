"""The lines that a worker and its parent exchange.

Commands and events are JSON objects, one a line. Anything may end up in a worker's standard output: a
framework's greeting, a ``print`` at import. So each event begins with a token that only this worker and
its parent know, and everything else is noise.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]

EVENTS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "ready": {"environment": dict},
    "unavailable": {"reason": str},
    "described": {"experiment": dict},
    "epoch": {"key": str, "epoch": int, "epochs": int, "metrics": dict},
    "done": {"key": str},
    "recorded": {"states": int},
    "replayed": {},
    "parted": {},
    "identified": {"identity": dict},
    "rebuilt": {"changes": list},
    "repeated": {"changes": list, "layer": str},
    "claim": {"finding": dict},
    "error": {"reason": str, "kind": str},
}
"""Event -> its fields and their types."""


def make_token() -> str:
    """A token that does not occur by chance in what a program prints."""
    return f"portable-event-{secrets.token_hex(8)}:"


def encode_event(token: str, event: str, fields: Mapping[str, Any]) -> str:
    """An event as a line.

    Raises:
        TypeError: a field holds a value that JSON does not have.
    """
    return f"{token}{json.dumps({'event': event, **fields})}\n"


def decode_event(token: str, line: bytes) -> tuple[Event | None, bytes]:
    """The event of a line, if it holds one, and the noise before it.

    A program that prints without a line's end leaves its noise at the beginning of the event's line.
    """
    noise, found, text = line.partition(token.encode())
    if not found:
        return None, line
    try:
        event = json.loads(text)
    except ValueError:
        return None, line
    if not isinstance(event, dict) or not is_event(event):
        return None, line
    return event, noise


def is_event(event: Mapping[str, Any]) -> bool:
    """True if an event is known and has the fields of its kind."""
    fields = EVENTS.get(str(event.get("event")))
    return fields is not None and all(
        isinstance(event.get(name), kind) for name, kind in fields.items()
    )
