import re
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from portable_models.plots import Curve, draw, save, to_svg_text

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing(training_and_validation, history):
    return draw(training_and_validation, {"a": history})


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_the_same_figure_gives_the_same_bytes(training_and_validation, history, tmp_path, ending):
    first, second = (
        save(draw(training_and_validation, {"a": history}), tmp_path / f"{name}{ending}")
        for name in ("first", "second")
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_the_bytes_do_not_depend_on_the_users_settings(
    training_and_validation, history, tmp_path, ending
):
    plain = save(draw(training_and_validation, {"a": history}), tmp_path / f"plain{ending}")
    with mpl.rc_context({"font.size": 20, "savefig.bbox": "tight", "axes.grid.axis": "x"}):
        other = save(draw(training_and_validation, {"a": history}), tmp_path / f"other{ending}")
    assert plain.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG\r\n"), (".svg", b"<?xml")])
def test_the_ending_decides_the_format(drawing, tmp_path, ending, start):
    path = save(drawing, tmp_path / f"loss{ending}")
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["loss.pdf", "loss", "loss.PNG"])
def test_another_ending_is_refused(drawing, tmp_path, name):
    with pytest.raises(ValueError, match=rf"saved as \.png or \.svg; got the name '{name}'"):
        save(drawing, tmp_path / name)


def test_an_svg_file_holds_no_date(drawing, tmp_path):
    text = save(drawing, tmp_path / "loss.svg").read_text(encoding="utf-8")
    assert "date" not in text.lower()


def test_two_drawings_in_one_page_share_no_id(drawing):
    texts = [to_svg_text(drawing, title="Loss", prefix=prefix) for prefix in ("a-", "b-")]
    ids = [set(re.findall(r'\bid="([^"]*)"', text)) for text in texts]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_inside_an_svg_is_answered(drawing):
    root = ElementTree.fromstring(to_svg_text(drawing, title="Loss", prefix="a-"))
    ids = {element.get("id") for element in root.iter()}
    text = ElementTree.tostring(root, encoding="unicode")
    wanted = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', text)
    assert wanted
    assert {one or other for one, other in wanted} <= ids


def test_an_inline_svg_styles_nothing_outside_itself(drawing):
    root = ElementTree.fromstring(to_svg_text(drawing, title="Loss", prefix="a-"))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert not tags & {"style", "metadata", "script", "image", "foreignObject"}


def test_an_inline_svg_takes_the_fonts_and_colours_of_the_page(drawing):
    text = to_svg_text(drawing, title="Loss", prefix="a-")
    assert "font-family" not in text
    assert "stroke: var(--plot-series-1, #0072b2)" in text


def test_a_screen_reader_gets_the_title(drawing):
    root = ElementTree.fromstring(to_svg_text(drawing, title="Loss of <a> & b", prefix="a-"))
    title = root.find(f"{SVG}title")
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby"), title.text) == (title.get("id"), "Loss of <a> & b")


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", "#0072b2", 'id="x" &amp; "'])
def test_a_label_is_text_and_stays_as_it_is(make_figure, history, label):
    drawing = draw(make_figure(Curve("a", "loss", label)), {"a": history})
    root = ElementTree.fromstring(to_svg_text(drawing, title="Loss", prefix="a-"))
    assert label in [element.text for element in root.iter(f"{SVG}text")]


def test_a_character_that_the_font_lacks_stops_nothing(make_figure, history, tmp_path):
    drawing = draw(make_figure(Curve("a", "loss", "损失")), {"a": history})
    assert save(drawing, tmp_path / "loss.png").stat().st_size > 0
