"""Check a document against the shipped JSON Schema, without a library for it.

Only the keywords that ``report.schema.json`` uses are known; a test holds that it uses no other,
and that this check and the ``jsonschema`` package agree.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    # To JSON Schema 1.0 is an integer too.
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": lambda value: _is_number(value),
}

# Annotations say nothing about a value; all other keywords are checked below.
_ANNOTATIONS = {"$schema", "$defs", "title", "description"}
_CHECKED = {"$ref", "type", "required", "properties", "additionalProperties", "items"}
_LIMITS = {"minItems", "enum", "const", "minimum", "exclusiveMaximum"}
KNOWN_KEYWORDS = frozenset(_ANNOTATIONS | _CHECKED | _LIMITS)


@functools.cache
def report_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of ``report.json``, as it is shipped."""
    text = files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def violations(value: Any, schema: Schema | None = None, path: str = "") -> Iterator[str]:
    """Yield the faults of a value, each with the path to it.

    Args:
        value: plain JSON values.
        schema: a part of the report's schema; all of it if None.
        path: where the value stands in the document.
    """
    schema = report_schema() if schema is None else schema
    if "$ref" in schema:
        schema = report_schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if fault := _fault(value, schema):
        yield f"{path or 'the document'} {fault}"
    elif isinstance(value, dict):
        yield from _object_violations(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from violations(item, schema["items"], f"{path}[{index}]")


def _object_violations(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path or 'the document'} lacks the key {key!r}"
    properties = schema.get("properties", {})
    for key, item in value.items():
        if not isinstance(key, str):
            yield f"{path or 'the document'} has a key that is not text: {key!r}"
            continue
        # What no key is declared for may be anything that JSON holds.
        inner = properties.get(key, schema.get("additionalProperties", {}))
        yield from violations(item, inner, f"{path}.{key}" if path else key)


def _fault(value: Any, schema: Schema) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, which JSON does not have; write null"
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return "is a number beyond the range of float64"
    kinds = schema.get("type", list(_TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(_TYPES[kind](value) for kind in kinds):
        expected = " or ".join(kinds) if "type" in schema else "a JSON value"
        return f"should be {expected}; it is {_shown(value)}"
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    # True == 1 in Python, not in JSON.
    if allowed is not None and not any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool)
        for choice in allowed
    ):
        return f"should be {' or '.join(map(repr, allowed))}; it is {_shown(value)}"
    if _is_number(value):
        if "minimum" in schema and value < schema["minimum"]:
            return f"should be at least {schema['minimum']}; it is {value}"
        if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
            return f"should be below {schema['exclusiveMaximum']}; it is {value}"
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        return f"should have at least {schema['minItems']} item; it has {len(value)}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
