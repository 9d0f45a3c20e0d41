"""The cells of a script in the percent format: ``# %%`` begins code, ``# %% [markdown]`` begins text."""

from __future__ import annotations

from dataclasses import dataclass

MARK = "# %%"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        kind: ``"markdown"`` or ``"code"``.
        text: its lines, without comment marks where it is Markdown.
    """

    kind: str
    text: str


def read_cells(source: str) -> list[Cell]:
    """The cells of a script, in their order.

    Raises:
        ValueError: there is text before the first mark, or a line of a Markdown cell is no comment.
    """
    head, *parts = f"\n{source}".split(f"\n{MARK}")
    if head.strip():
        raise ValueError(
            f"the script must begin with {MARK!r}; it begins with {head.strip()[:40]!r}"
        )
    cells = []
    for part in parts:
        mark, _, body = part.partition("\n")
        kind = "markdown" if mark.strip() == "[markdown]" else "code"
        cells.append(Cell(kind, _uncommented(body) if kind == "markdown" else body.strip("\n")))
    return cells


def _uncommented(body: str) -> str:
    lines = body.strip("\n").splitlines()
    for line in lines:
        if not line.startswith("#") and line.strip():
            raise ValueError(f"each line of a Markdown cell begins with '#'; got {line!r}")
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines).strip()
