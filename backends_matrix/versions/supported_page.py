"""The findings on the supported releases: kept as JSON, shown as ``docs/supported.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from backends_matrix.versions.record import read_findings, write_findings
from backends_matrix.versions.supported import BACKENDS, Supported, Tried, find_bound

TRIED = Path(__file__).parent / "supported.json"
SCHEMA = 1

CHECKS = ("random", "engine", "write", "files")
"""The checks that run on each backend."""

_HEAD = """# Supported releases of Keras

The library works with the releases of Keras below, each on JAX, TensorFlow and PyTorch. Each row is an
environment in which the library itself was run:

| check | what must hold |
| --- | --- |
| random | seven functions draw the recorded bits, one by one and compiled |
| engine | eight trainings on the compiled engine give the history and weights of `Model.fit` |
| files | every backend reads the `.keras` files of all: same predictions, same loss when resumed |
| study | `portable matrix boston --epochs 2 --data sample` (variants kfold, final): verdict "agree" |
| export | the file of JAX as a PyTorch module, which is verified in a process without Keras |

The eight trainings use Adam, a learning rate schedule, clipping, a moving average of the weights, metrics,
class weights with batch normalization, dropout, and penalties.

This page is written by `nox -s "supported(ROW)"`; `nox -s supported` runs all rows. Do not edit it: the rows
are in `supported.toml` and what was found in `supported.json`, both in `backends_matrix/versions`. Which
releases of a framework work with which Keras, without the library, is on the page on [versions](versions.md).
"""

_DIFFERENCES = """The library runs the steps of Keras, so it computes what the installed Keras computes. The
differences from the tested release were read in the sources of optimizers, initializers, losses and metrics.
"""

_TAIL = """## An unsupported Keras

`import portable_models` raises an `ImportError` of one line where Keras is older than the oldest supported
release: parts of Keras that the library needs are not there. With a Keras newer than every supported release
it warns once and goes on. Most of the library may work there, but what is private in Keras may have moved.
"""


def read_tried(path: Path = TRIED) -> dict[str, Tried]:
    """The findings so far, by row.

    Raises:
        ValueError: the file is of another schema than this version of the project writes.
    """
    return {name: Tried(row=name, **given) for name, given in read_findings(path, SCHEMA).items()}


def keep_tried(
    tried: Tried, rows: Mapping[str, Supported], record: Path, document: Path
) -> dict[str, Tried]:
    """Record a finding in the place of an earlier one of its row, and write the page anew."""
    merged = read_tried(record) | {tried.row: tried}
    write_findings(merged, record, SCHEMA)
    document.write_text(supported_page(rows, merged), encoding="utf-8")
    return merged


def supported_page(rows: Mapping[str, Supported], findings: Mapping[str, Tried]) -> str:
    """The page of the documentation, in Markdown."""
    parts = [_HEAD]
    bound = find_bound(rows.values(), findings)
    if bound:
        parts.append(f"The requirement that follows: `{bound}`.\n")
    parts.append("## Rows\n")
    heads = ("row", "installed", *CHECKS[:2], "files", "study", "export", "tried")
    parts += [_line(heads), _line("---" for _ in heads)]
    parts += [_line(_cells(row, findings.get(name))) for name, row in rows.items()]
    parts.append("\n## What a row computes otherwise, and what fails\n")
    parts.append(_DIFFERENCES)
    notes = list(_notes(rows, findings))
    parts += notes or ["Nothing was found."]
    parts += ["", _TAIL]
    return "\n".join(parts)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cells(row: Supported, tried: Tried | None) -> tuple[str, ...]:
    if tried is None:
        return f"`{row.name}`", f"`{row.keras}`", *["not tried yet"] * 6
    installed = ", ".join(f"{name} {version}" for name, version in tried.packages.items())
    where = f"{tried.date}, {tried.platform}, Python {tried.python}"
    per_backend = (_over_backends(tried, ("random",)), _over_backends(tried, ("engine",)))
    files = _over_backends(tried, ("write", "files"))
    return f"`{row.name}`", installed, *per_backend, files, *_whole(tried), where


def _over_backends(tried: Tried, names: tuple[str, ...]) -> str:
    failed = [
        backend
        for backend in BACKENDS
        if not all(tried.checks.get(f"{name} {backend}", {}).get("holds") for name in names)
    ]
    return f"fails on {', '.join(failed)}" if failed else "holds"


def _whole(tried: Tried) -> list[str]:
    return ["holds" if tried.checks[name]["holds"] else "fails" for name in ("study", "export")]


def _notes(rows: Mapping[str, Supported], findings: Mapping[str, Tried]) -> Iterable[str]:
    for name, row in rows.items():
        for sentence in row.differs:
            yield f"- `{name}`: {sentence}"
        tried = findings.get(name)
        for check, found in tried.checks.items() if tried else ():
            if not found["holds"]:
                yield f"- `{name}`, {check}: fails: `{found['detail']}`"
