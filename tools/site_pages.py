"""Pages of the site that are made while it is built: one for each lesson, with what it prints."""

from __future__ import annotations

from pathlib import Path

from percent_cells import read_cells

DRAWN = Path(__file__).parents[1] / "docs" / "images" / "lessons"


def lesson_page(script: Path) -> str:
    """A lesson as Markdown: its text, its code, and at the end what it prints on every backend."""
    parts = []
    for cell in read_cells(script.read_text(encoding="utf-8")):
        fenced = f"```python\n{cell.text}\n```"
        parts.append(cell.text if cell.kind == "markdown" else fenced)
    printed = script.parent / "printed" / f"{script.stem}.txt"
    text = printed.read_text(encoding="utf-8").rstrip()
    parts += [
        "## What it prints",
        f"On JAX, TensorFlow and PyTorch alike. The script is `lessons/{script.name}`; "
        f"`python tools/notebooks.py notebooks {script.stem}` makes a notebook of it.",
        f"```text\n{text}\n```",
    ]
    figures = sorted((DRAWN / script.stem).glob("*.svg"))
    if figures:
        parts.append("## What it draws")
        parts += [
            f"![{path.stem}](../../images/lessons/{script.stem}/{path.name})" for path in figures
        ]
    return "\n\n".join(parts) + "\n"


def write_lesson_pages(lessons: Path, folder: Path) -> list[Path]:
    """Write the page of every lesson into a folder, and nothing where a page is as it should be.

    Raises:
        FileNotFoundError: there is no lesson, or what one prints is not kept.
    """
    scripts = sorted(lessons.glob("[0-9]*.py"))
    if not scripts:
        raise FileNotFoundError(f"there is no lesson in {lessons}")
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for script in scripts:
        page, text = folder / f"{script.stem}.md", lesson_page(script)
        # Sphinx reads a page again when its time changes.
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
        pages.append(page)
    return pages
