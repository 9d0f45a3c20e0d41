"""Turn a drawing into a file or into text, the same bytes for the same drawing."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

from matplotlib.figure import Figure as Drawing

from portable_models.plots.style import CSS_VARIABLES, styled

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_WITHOUT_DATES = {"Date": None, "Creator": None, "Format": None, "Type": None}
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_FONT = re.compile(r"^font:\s*(?:(?P<weight>\d{3}|bold)\s+)?(?P<size>[\d.]+px)\b")


def save(drawing: Drawing, path: Path | str) -> Path:
    """Write a drawing as an image; no date goes into it, so the bytes depend on the drawing only.

    Args:
        drawing: what :func:`~portable_models.plots.draw` returned.
        path: a file whose name ends in ``.svg`` or ``.png``; it is replaced if it exists.

    Returns:
        The path.

    Raises:
        ValueError: the name has another ending.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in {".png", ".svg"}:
        raise ValueError(f"a plot is saved as .png or .svg; got the name {path.name!r}")
    path.write_bytes(_rendered(drawing, path.suffix[1:]))
    return path


def to_svg_text(drawing: Drawing, *, title: str, prefix: str) -> str:
    """A drawing as an ``<svg>`` element that can stand inside an HTML page.

    The element's width is that of the drawing; with ``height: auto`` a page can make it narrower.
    It takes the page's font, and names its colours as CSS variables (see ``CSS_VARIABLES``) with
    the drawn colour as the fallback, so that a page can follow a dark scheme.

    Args:
        drawing: what :func:`~portable_models.plots.draw` returned.
        title: what a screen reader says.
        prefix: put before every id, so that two drawings in one page share none.
    """
    root = ElementTree.fromstring(_rendered(drawing, "svg"))
    for parent in root.iter():
        for child in list(parent):
            # A style element inside an inline SVG would apply to the whole page.
            if child.tag in {f"{_SVG}style", f"{_SVG}metadata"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _rewrite_attributes(element, prefix)
    view_box = root.attrib["viewBox"]
    width_points = float(view_box.split()[2])
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": _SVG[1:-1],
            "viewBox": view_box,
            # CSS counts 96 pixels to the inch, Matplotlib 72 points.
            "width": f"{width_points * 96 / 72:.0f}",
            "role": "img",
            "aria-labelledby": f"{prefix}title",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    label = ElementTree.Element("title", {"id": f"{prefix}title"})
    label.text = title
    label.tail = "\n"
    root.insert(0, label)
    return re.sub(r"\n\s+", "\n", ElementTree.tostring(root, encoding="unicode"))


def _rendered(drawing: Drawing, kind: str) -> bytes:
    buffer = io.BytesIO()
    with styled():
        if kind == "svg":
            drawing.savefig(buffer, format="svg", transparent=True, metadata=_WITHOUT_DATES)
        else:
            drawing.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _rewrite_attributes(element: ElementTree.Element, prefix: str) -> None:
    attributes = dict(element.attrib)
    element.attrib.clear()
    for name, value in attributes.items():
        name = name.removeprefix(_XLINK)
        if name == "id":
            value = prefix + value
        elif name == "href":
            value = "#" + prefix + value.removeprefix("#")
        elif name in {"d", "x", "y", "points", "transform"}:
            value = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
            value = " ".join(value.split())
        elif name == "style":
            value = "; ".join(filter(None, map(_declaration, value.split(";"))))
        value = value.replace("url(#", f"url(#{prefix}")
        element.attrib[name] = value


def _declaration(text: str) -> str:
    text = text.strip()
    if text.startswith("font-family:"):
        return ""
    shorthand = _FONT.match(text)
    if shorthand:
        weight = f"; font-weight: {shorthand['weight']}" if shorthand["weight"] else ""
        return f"font-size: {shorthand['size']}{weight}"
    name, _, value = text.partition(": ")
    variable = CSS_VARIABLES.get(value)
    return f"{name}: var({variable}, {value})" if variable else text
