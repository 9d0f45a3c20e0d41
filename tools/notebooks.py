"""Make notebooks of the lessons.

python tools/notebooks.py OUT [LESSON ...] [--execute]

``--execute`` runs each notebook on the backend that ``KERAS_BACKEND`` names and keeps its outputs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from percent_cells import read_cells

LESSONS = Path(__file__).parents[1] / "lessons"
INLINE = "%matplotlib inline"
"""With it, a notebook shows a Matplotlib figure that ends a cell."""


def notebook(source: str) -> Any:
    """A notebook of a script in the percent format; equal scripts give equal notebooks."""
    new = nbformat.v4
    cells = [new.new_code_cell(INLINE)]
    for cell in read_cells(source):
        make = new.new_markdown_cell if cell.kind == "markdown" else new.new_code_cell
        cells.append(make(cell.text))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = new.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.validate(made)
    return made


def execute(made: Any, folder: Path) -> None:
    """Run a notebook in a folder; its outputs are put into it.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    from nbclient import NotebookClient

    NotebookClient(made, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--execute", action="store_true")
    asked = parser.parse_args(arguments)
    sources = sorted(LESSONS.glob("[0-9]*.py"))
    unknown = set(asked.lessons) - {path.stem for path in sources}
    if unknown:
        parser.error(f"there is no lesson {', '.join(sorted(unknown))}")
    asked.out.mkdir(parents=True, exist_ok=True)
    for path in sources:
        if asked.lessons and path.stem not in asked.lessons:
            continue
        made = notebook(path.read_text(encoding="utf-8"))
        if asked.execute:
            execute(made, asked.out)
        nbformat.write(made, asked.out / f"{path.stem}.ipynb")
        print(asked.out / f"{path.stem}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
