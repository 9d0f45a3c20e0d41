"""The model card beside an artifact: what it takes, what it gives, what proves it, how to call it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portable_models.export.result import ExportResult
from portable_models.export.routes import ROUTES
from portable_models.export.signature import Signature


def describe(result: ExportResult, model: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The card as JSON-able data.

    Args:
        result: a result whose artifact stands.
        model: the name of the source file.
        facts: what is known of the training; ``classes`` and ``metrics`` have their own places.
    """
    name = Path(result.path or "").name
    return {
        "schema": 1,
        "artifact": name,
        "target": ROUTES[result.target].title,
        "source": {"model": model, **result.reference},
        "inputs": result.signature["inputs"],
        "outputs": result.signature["outputs"],
        "classes": facts.get("classes"),
        "metrics": facts.get("metrics"),
        "training": {k: v for k, v in facts.items() if k not in ("classes", "metrics")},
        "verified": {
            "status": str(result.status),
            "against": result.reference,
            "checks": [check.to_dict() for check in result.checks],
            "largest_difference": result.difference,
            "latency_s": dict(result.latency),
            "settings": dict(result.settings),
            "notes": list(result.notes),
            "reason": result.reason,
        },
        "route": dict(result.route),
        "files": dict(result.files),
        "size_bytes": result.size_bytes,
        "versions": dict(result.versions),
        "example": example(result),
    }


def example(result: ExportResult) -> str:
    """Lines of the target's language that call the artifact."""
    target: Any = importlib.import_module(ROUTES[result.target].module)
    text: str = target.example(Path(result.path or "").name, Signature.from_dict(result.signature))
    return text


def write(
    result: ExportResult, model: str, facts: Mapping[str, Any], places: tuple[Path, Path]
) -> None:
    """Write the card as JSON and as Markdown to ``places``."""
    data = describe(result, model, facts)
    as_json, as_markdown = places
    as_json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    as_markdown.write_text(markdown(data), encoding="utf-8")


def markdown(data: Mapping[str, Any]) -> str:
    """The card as a page to read."""
    classes, metrics = data["classes"], data["metrics"]
    lines = [
        f"# {data['artifact']}",
        "",
        f"{data['target']} of the Keras model `{data['source']['model']}`, {data['size_bytes']:,} bytes.",
        "",
        "## Inputs and outputs",
        "",
        *_table(
            ("", "name", "shape", "dtype", "values"),
            [
                (kind, t["name"], _shape(t["shape"]), t["dtype"], _values(t))
                for kind in ("inputs", "outputs")
                for t in data[kind]
            ],
        ),
        "",
        "Classes: " + (", ".join(map(str, classes)) if classes else "not given."),
        "",
        "Metrics from training: "
        + (", ".join(f"{k} {v}" for k, v in metrics.items()) if metrics else "not given."),
        "",
        "## How to call it",
        "",
        "From the folder that holds the artifact; Keras is not needed.",
        "",
        "```python",
        data["example"].rstrip(),
        "```",
        "",
        "## What proves it",
        "",
        *_proof(data),
        "",
        "## How it was made",
        "",
        f"By way of Keras on {data['route']['hub']}: " + "; ".join(data["route"]["steps"]) + ".",
        "",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in data["versions"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _proof(data: Mapping[str, Any]) -> list[str]:
    verified = data["verified"]
    if not verified["checks"]:
        return [f"Not verified: {verified['reason'] or 'verification was turned off'}."]
    against = verified["against"]
    rows = [
        (c["name"], _number(c["difference"]), f"{c['tolerance']:.1e}", _verdict(c))
        for c in verified["checks"]
    ]
    settings = ", ".join(f"{k} = {v}" for k, v in verified["settings"].items())
    latency = ", ".join(f"{k} {v * 1e3:.2f} ms" for k, v in verified["latency_s"].items())
    return [
        f"Run in its own runtime in a process without Keras and compared with `{against['model']}` under "
        f"Keras on {against['backend']} ({against['reason']}). Differences are parts of the output's scale.",
        "",
        *_table(("check", "difference", "allowed", ""), rows),
        "",
        *[f"Note: {note}.\n" for note in verified["notes"]],
        f"Precision of the runtime: {settings or 'float32, nothing to set'}.",
        "",
        f"One call at the exported batch, on the exporting machine: {latency}.",
    ]


def _number(difference: float | None) -> str:
    return "none" if difference is None else f"{difference:.1e}"


def _verdict(check: Mapping[str, Any]) -> str:
    return str(check["status"]) if check["decides"] else f"{check['status']}, reported only"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def _shape(shape: Sequence[int | None]) -> str:
    names = ["batch", *["any"] * (len(shape) - 1)]
    return ", ".join(
        name if size is None else str(size) for name, size in zip(names, shape, strict=True)
    )


def _values(tensor: Mapping[str, Any]) -> str:
    if tensor["limit"]:
        return f"ids below {tensor['limit']}"
    known = tensor["values"]
    if known["choices"]:
        return (
            f"vocabulary of {known['source']}: " + ", ".join(map(str, known["choices"][:3])) + " …"
        )
    if known["low"] is not None:
        return f"{known['low']:g} to {known['high']:g}"
    return f"as {known['source']} was adapted to" if known["mean"] is not None else ""
