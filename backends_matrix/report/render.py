"""Write every file of a report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends_matrix.report import html, junit
from backends_matrix.report.document import ReportError, validate, write, write_whole
from backends_matrix.report.drawings import plots
from backends_matrix.report.next_steps import FIGURES
from backends_matrix.report.records import parse
from portable_models.plots import save


def render_all(document: Mapping[str, Any], directory: Path | str) -> list[Path]:
    """Write ``report.json``, ``report.html``, ``junit.xml`` and ``figures/*.png``.

    Files of these names are replaced; the data comes first, so that it is there even if a rendering
    fails. The same document gives the same bytes.

    Args:
        document: plain JSON values; see ``report.schema.json``.
        directory: the folder, made if it is not there.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ReportError: the document is not valid, or the folder cannot be written.
    """
    validate(document)
    folder = Path(directory)
    written = [write(document, folder)]
    figures = folder / FIGURES
    images = []
    try:
        figures.mkdir(exist_ok=True)
        for number, plot in enumerate(plots(parse(document))):
            written.append(save(plot.drawing, figures / f"{plot.name}.png"))
            images.append(html.image(plot, number))
    except OSError as error:
        raise ReportError(f"{figures} cannot be written: {error.strerror or error}") from None
    page = html.render(document, images).encode("utf-8")
    written.append(write_whole(folder / html.FILE_NAME, page))
    written.append(write_whole(folder / junit.FILE_NAME, junit.render(document).encode("utf-8")))
    return written
