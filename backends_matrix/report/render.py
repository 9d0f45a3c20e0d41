"""Write every file of a report."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends_matrix.atomic_files import make_folder, write_atomically
from backends_matrix.report import html, junit
from backends_matrix.report.drawings import plots
from backends_matrix.report.json_file import ReportError, validate, write, write_whole
from backends_matrix.report.next_steps import FIGURES
from backends_matrix.report.records import parse
from portable_models.plots import save


def render_all(
    document: Mapping[str, Any], directory: Path | str, *, timed: bool = False
) -> list[Path]:
    """Write ``report.json``, ``report.html``, ``junit.xml`` and ``figures/*.png``.

    Files of these names are replaced; the data comes first, so that it is there even if a rendering
    fails. The same document gives the same bytes.

    Args:
        document: plain JSON values; see ``report.schema.json``.
        directory: the folder, made if it is not there.
        timed: write down how long the figures took, as ``seconds.reporting``; for a run's first report.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ReportError: the document is not valid, or the folder cannot be written.
    """
    validate(document)
    started = time.perf_counter()
    folder = Path(directory)
    written = [write(document, folder)]
    figures = folder / FIGURES
    images = []
    try:
        make_folder(figures)
        for number, plot in enumerate(plots(parse(document))):
            # A variant's metrics are many small frames, for reading in the page.
            if not plot.variant:
                written.append(_save_image(plot.drawing, figures / f"{plot.name}.png"))
            images.append(html.image(plot, number))
    except OSError as error:
        raise ReportError(f"{figures} cannot be written: {error.strerror or error}") from None
    if timed:
        spent = {**document.get("seconds", {}), "reporting": time.perf_counter() - started}
        document = {**document, "seconds": spent}
        write(document, folder)
    page = html.render(document, images).encode("utf-8")
    written.append(write_whole(folder / html.FILE_NAME, page))
    written.append(write_whole(folder / junit.FILE_NAME, junit.render(document).encode("utf-8")))
    return written


def _save_image(drawing: Any, path: Path) -> Path:
    """Write an image whole or not at all, and never through a link."""
    with tempfile.TemporaryDirectory(prefix="portable-image-") as folder:
        return write_atomically(path, save(drawing, Path(folder) / path.name).read_bytes())
