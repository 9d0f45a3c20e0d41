"""``python tools/export_table.py``: the table of models, sources and targets in docs/export.md.

It trains the zoo on each backend, exports every file to every target, verifies each, and writes the table
between the markers of the page. Finished models are kept in ``--work`` and not run again.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from export_rows import insert, page, rows, train
from export_zoo_names import NAMES

from backends_matrix.run.cell import BACKENDS
from portable_models.export.routes import ROUTES

BATCH_OF_MODELS = 5
"""Models exported by one set of processes: starting them costs seconds, and finished models are kept."""


@click.command()
@click.option(
    "--model", "models", multiple=True, type=click.Choice(tuple(NAMES)), help="Default: all."
)
@click.option(
    "--source", "sources", multiple=True, type=click.Choice(BACKENDS), help="Default: all."
)
@click.option(
    "--target", "targets", multiple=True, type=click.Choice(tuple(ROUTES)), help="Default: all."
)
@click.option(
    "--work", type=click.Path(path_type=Path), help="Where finished rows and files are kept."
)
@click.option(
    "--page",
    "document",
    type=click.Path(path_type=Path),
    default=Path("docs/export.md"),
    show_default=True,
)
def main(
    models: tuple[str, ...],
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    work: Path | None,
    document: Path,
) -> None:
    """Write the table of models, sources and targets.

    Exit codes: 0 every export is verified or refused with a reason; 1 one is different; 3 one failed.
    """
    # The processes that export the model with a layer of its own import it from here.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONPATH"] = path
    with tempfile.TemporaryDirectory(prefix="portable-table-") as temporary:
        folder = (work or Path(temporary)).absolute()
        found = [
            row
            for source in sources or BACKENDS
            for row in _source(source, models or tuple(NAMES), targets or tuple(ROUTES), folder)
        ]
    document.write_text(insert(document.read_text(encoding="utf-8"), page(found)), encoding="utf-8")
    statuses = {str(row["status"]) for row in found}
    click.echo(f"{len(found)} rows written to {document}: {', '.join(sorted(statuses))}")
    sys.exit(1 if "different" in statuses else 3 if "failed" in statuses else 0)


def _source(
    source: str, models: tuple[str, ...], targets: tuple[str, ...], folder: Path
) -> list[dict[str, object]]:
    """The rows of one source; read again where an earlier run left them."""
    kept = {name: folder / f"rows-{source}-{name}-{'-'.join(targets)}.json" for name in models}
    missing = [name for name in models if not kept[name].exists()]
    for start in range(0, len(missing), BATCH_OF_MODELS):
        chosen = missing[start : start + BATCH_OF_MODELS]
        place = folder / source
        files = train(chosen, source, place, click.echo)
        made = rows(files, source, targets, place, click.echo)
        for name in chosen:
            found = [asdict(row) for row in made if row.model == name]
            kept[name].write_text(json.dumps(found, indent=1), encoding="utf-8")
    return [row for name in models for row in json.loads(kept[name].read_text(encoding="utf-8"))]


if __name__ == "__main__":
    main()
