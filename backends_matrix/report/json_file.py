"""``report.json``: read it, write it, and say in one line what is wrong with one that is broken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from backends_matrix.atomic_files import write_atomically
from backends_matrix.report.consistency import contradictions
from backends_matrix.report.schema import violations
from backends_matrix.untrusted_json import TooDeepError, parse_json

Document: TypeAlias = Mapping[str, Any]

SCHEMA = 1
FILE_NAME = "report.json"
_SHOWN_FAULTS = 3
_LARGEST = 2**30
"""Bytes. The whole matrix on the full data, 200 epochs of it with 15 replicas, takes some 20 MB."""
_DEEPEST = 32
"""Objects and arrays inside each other; a report has 8, and recipes of users may add some."""


class ReportError(Exception):
    """A report that is missing, broken or of another format; the message is one clear line."""


def validate(document: Any, where: str = "the report") -> None:
    """Check that a document is what the report's JSON Schema says, and does not contradict itself.

    Args:
        document: plain JSON values.
        where: how the message names the document.

    Raises:
        ReportError: it is not an object, of another schema number, has missing or wrong values, or
            says one thing in one place and another elsewhere.
    """
    if not isinstance(document, dict):
        raise ReportError(f"{where} should hold a JSON object; it holds {type(document).__name__}")
    number = document.get("schema")
    if number != SCHEMA or isinstance(number, bool):
        raise ReportError(
            f"{where} has schema {number!r}; this version reads schema {SCHEMA}: "
            "render it with the version of portable-models that wrote it, or run the matrix again"
        )
    faults = list(islice(violations(document), _SHOWN_FAULTS + 1))
    if faults:
        more = "; and more" if len(faults) > _SHOWN_FAULTS else ""
        raise ReportError(f"{where} is not valid: {'; '.join(faults[:_SHOWN_FAULTS])}{more}")
    for fault in contradictions(document):
        raise ReportError(f"{where} contradicts itself: {fault}")


def read(directory: Path | str) -> dict[str, Any]:
    """The document of a report's folder.

    Raises:
        ReportError: the folder has no ``report.json``, or not a readable and valid one.
    """
    path = Path(directory) / FILE_NAME
    try:
        # A pipe would be waited for, and a device may never end.
        if path.exists() and not path.is_file():
            raise ReportError(f"{path} is not a file")
        if (size := path.stat().st_size) > _LARGEST:
            raise ReportError(f"{path} has {size:,} bytes, and a report has at most {_LARGEST:,}")
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ReportError(
            f"there is no {FILE_NAME} in {directory}; "
            f"name a folder that 'portable matrix --out DIR' has written"
        ) from None
    except UnicodeDecodeError as error:
        raise ReportError(f"{path} is not text in UTF-8: {error}") from None
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    try:
        document: dict[str, Any] = parse_json(text, _DEEPEST)
    except TooDeepError:
        raise ReportError(f"{path} is not a report: it is nested too deeply") from None
    except MemoryError:
        raise ReportError(f"{path} is too large for the memory of this machine") from None
    except ValueError as error:
        hint = ", or the file is cut off" if text.strip() else ": the file is empty"
        raise ReportError(f"{path} is not JSON{hint} ({error})") from None
    validate(document, str(path))
    return document


def write(document: Document, directory: Path | str) -> Path:
    """Write a document as ``report.json`` of a folder, whole or not at all.

    The folder is made if it is not there.

    Raises:
        ReportError: the document is not valid, or the folder cannot be written.
    """
    return write_file(document, Path(directory) / FILE_NAME)


def write_file(document: Document, path: Path) -> Path:
    """Write a document to a file of any name, whole or not at all.

    Raises:
        ReportError: the document is not valid, or the file cannot be written.
    """
    validate(document)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    # A lone surrogate is a legal JSON escape but not UTF-8: keep it as the escape.
    encoded = text.encode("utf-8", errors="backslashreplace")
    return write_whole(path, encoded + b"\n")


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file so that a reader sees the old or the new one, never half of it.

    Raises:
        ReportError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror or error}") from None
    return path
