import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from backends_matrix.report.html import render

VOID = {"meta", "br", "link", "img", "input", "hr"}
NASTY = "<script>alert('x')</script>\"' onload=x &amp; {{ 7 * 7 }} ${x} \x1b[31m"
SHOWN = NASTY.replace("\x1b", "\ufffd")


class Page(HTMLParser):
    """Elements, ids, texts and attributes of a page; fails where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def rendered():
    return {}


@pytest.fixture(
    params=["small_document", "document", "differing_document", "broken_document"],
)
def page(request, rendered):
    """A page of every kind; the plots, which take a while, only in that of one experiment."""
    kind = request.param
    if kind not in rendered:
        images = None if kind == "small_document" else []
        rendered[kind] = Page(render(request.getfixturevalue(kind), images))
    return rendered[kind]


def page_of(document):
    """A page without plots, which take a while."""
    return Page(render(document, images=[]))


def test_the_page_loads_nothing(page):
    for _, attributes in page.elements:
        for name in ("src", "srcset", "action", "poster", "data", "background"):
            assert name not in attributes
        assert attributes.get("href", "#").startswith("#")
        assert "url(" not in re.sub(r"url\(#[^)]*\)", "", attributes.get("style", ""))
    style = files("backends_matrix.report").joinpath("style.html.jinja").read_text()
    assert "@import" not in style
    assert "url(" not in style


def test_the_page_runs_nothing(page):
    assert not page.all("script")
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    policy = next(meta for meta in page.all("meta") if "http-equiv" in meta)
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_no_id_occurs_twice_and_every_link_is_answered(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {found["href"][1:] for _, found in page.elements if "href" in found}
    assert links <= set(ids)


def test_every_header_cell_has_a_scope_and_every_table_a_name(page):
    assert all("scope" in attributes for attributes in page.all("th"))
    regions = [found for found in page.all("div") if found.get("class") == "scroll"]
    assert len(regions) == len(page.all("table"))
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in regions)


def test_the_page_has_one_main_heading_and_no_level_is_skipped(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_all_plots_are_in_the_page_and_named(small_document):
    page = Page(render(small_document))
    # The figure, overlaid and on each of 3 backends, the plot of the tolerance, and two variants' metrics.
    assert len(page.all("svg")) == 1 + 3 + 1 + 2
    assert all(found["role"] == "img" and found["aria-labelledby"] for found in page.all("svg"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("document", "agree jax, tensorflow and torch agree"),
        ("differing_document", "differ torch differs from jax in imdb/final, loss, from epoch 3"),
        ("broken_document", "error Not everything could be run"),
    ],
)
def test_the_verdict_comes_first(kind, words, request):
    page = page_of(request.getfixturevalue(kind))
    assert page.text.index(words) < page.text.index("Matrix")


def test_problems_come_before_the_matrix(differing_document):
    text = page_of(differing_document).text
    problem = text.index("imdb/final: loss on torch differs from jax at epoch 3: 2.1e-3 > 1.9e-6")
    assert problem < text.index("The reference is what the others are compared with")


def test_the_matrix_has_words_and_not_only_colours(broken_document):
    chips = re.findall(
        r'<span class="chip (\w+)">.*?</span> (.*?)</span>', render(broken_document, [])
    )
    assert {"reference", "agrees", "crashed", "timed out", "unavailable"} <= {w for _, w in chips}


def test_the_verdict_is_explained_beside_it(differing_document):
    page = page_of(differing_document)
    explained = "imdb/final: loss on torch differs from jax at epoch 3: 2.1e-3 > 1.9e-6 (tolerance)"
    assert page.text.index(explained) < page.text.index("comparisons made")


def test_a_place_in_the_matrix_says_how_much_of_its_tolerance_is_used(differing_document):
    page = render(differing_document, [])
    table = page[page.index("Matrix of cells") :]
    details = re.findall(
        r'<span class="quiet detail">(.*?)</span>', table[: table.index("</table>")]
    )
    # Each variant on the two backends that are not the reference.
    assert len(details) == 2 * 10
    # val_loss and loss move alike; 2.1e-3 for each epoch from the third on, of 20 epochs, over 1.9e-6.
    assert f"{18 * 2.1e-3 / 1.9e-6:,.0f} x its tolerance (loss)" in details
    assert all("tolerance" in each for each in details)


def test_what_the_time_went_into_is_said(document):
    document["seconds"] = {"training": 125.0, "judging": 0.25, "steps": 0.0}
    text = page_of(document).text
    assert "training, in all workers 2 min 05 s judging 0.25 s" in text
    assert "single steps 0" not in text


def test_every_comparison_is_in_the_page(small_document):
    page = render(small_document, images=[])
    made = len(small_document["comparisons"])
    details = page[page.index(f"All {made} comparisons") :]
    listed = details[: details.index("</details>")]
    assert listed.count('<tr><td class="number">') == made


def test_synthetic_data_is_named_so(document):
    text = page_of(document).text
    assert "synthetic data seeded synthetic reviews" in text
    assert "imdb synthetic data training loss falls at every epoch" in text


def test_the_command_can_be_pasted_into_a_shell(document):
    assert "--backends jax,tensorflow,torch --out 'a run'" in page_of(document).text


def test_examples_environment_and_claims_are_there(document):
    text = page_of(document).text
    assert "this film was a wonderful surprise" in text
    assert "precision tf32 off off off" in text
    assert "mean MAE of the four folds is within 0.4 of the published 2.3654 2.9214 no" in text


def infected(document):
    """The document with the nasty text wherever text can stand."""

    def infect(value, key=""):
        if isinstance(value, dict):
            return {
                (NASTY + name if key in ("experiments", "backends", "history") else name): infect(
                    inner, name
                )
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [infect(inner, key) for inner in value]
        fixed = ("verdict", "status", "style", "kind")
        return NASTY + value if isinstance(value, str) and key not in fixed else value

    return infect(document)


def test_no_text_of_the_document_becomes_markup(small_document):
    for entry in small_document["cells"]:
        if entry["backend"] == "torch":
            entry |= {"status": "failed", "reason": "raised"}
    page = Page(render(infected(small_document)))
    assert not page.all("script")
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert SHOWN in "".join(page.texts)
    assert "\x1b" not in "".join(page.texts)


def test_a_report_of_nothing_can_be_rendered(document):
    for part in ("cells", "comparisons", "claims", "examples"):
        document[part] = []
    document |= {"experiments": {}, "verdict": "error", "command": []}
    document["environment"]["backends"] = {}
    assert "No comparison was made." in page_of(document).text


def luminance(colour):
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("ink", "page"),
        ("quiet", "page"),
        ("quiet", "raised"),
        ("link", "page"),
        ("plot-muted", "page"),
    ]
    + [(name, f"{name}-tint") for name in ("good", "bad", "unsure", "warn")]
    + [("good", "page"), ("bad", "page"), ("ink", "bad-tint"), ("ink", "warn-tint")],
)
def test_text_stands_out_from_what_is_behind_it(scheme, front, back):
    style = files("backends_matrix.report").joinpath("style.html.jinja").read_text()
    light, dark = style.split("prefers-color-scheme: dark", 1)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", dark if scheme == "dark" else light))
    darker, lighter = sorted(luminance(colours[name]) for name in (front, back))
    # WCAG 2.2, success criterion 1.4.3, asks for 4.5 of text of this size.
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
