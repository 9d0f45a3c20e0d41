"""The page as a browser shows it; runs where a Chromium is found."""

import pytest

from backends_matrix.report import render_all

from .chromium import NAMES, Browser, found

pytestmark = pytest.mark.skipif(
    found() is None, reason=f"no browser: none of {', '.join(NAMES)} is found"
)

FOCUSED = """
(() => {
  const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
  return {tag: it.tagName, text: it.textContent.trim().slice(0, 40), href: it.getAttribute("href"),
          label: it.getAttribute("aria-label"), top: box.top + scrollY, outline: style.outlineStyle,
          width: parseFloat(style.outlineWidth), seen: box.width > 0 && box.height > 0};
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(found(), tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return {"folder": tmp_path_factory.mktemp("pages")}


@pytest.fixture
def page(rendered, small_document):
    """The path of a page in which all agree, and some comparisons are undecidable."""
    if "path" not in rendered:
        for entry in small_document["comparisons"]:
            if entry["quantity"] == "val_loss" and entry["epoch"] and entry["epoch"] > 2:
                entry["verdict"] = "undecidable"
        render_all(small_document, rendered["folder"])
        rendered["path"] = rendered["folder"] / "report.html"
    return rendered["path"]


def brightness(picture):
    """Between 0 and 1, with the weights of the three colours that luminance has."""
    return picture @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_shown_as_the_reader_wants_it(browser, page, scheme):
    browser.open(page, scheme)
    picture = brightness(browser.picture())
    background = picture[-40:, :20]
    # The page's own colours are #ffffff and #0d1117.
    assert background.mean() > 0.95 if scheme == "light" else background.mean() < 0.1
    assert abs(picture.mean() - background.mean()) > 0.01
    text = picture < 0.4 if scheme == "light" else picture > 0.6
    # Letters and curves cover some per cent of a page; nothing on it covers half.
    assert 0.005 < text.mean() < 0.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_follow_the_scheme(browser, page, scheme):
    browser.open(page, scheme)
    box = browser.evaluate(
        "(() => { const it = document.querySelector('figure svg'); it.scrollIntoView();"
        "const box = it.getBoundingClientRect();"
        "return [box.left, box.top, box.right, box.bottom].map(Math.round) })()"
    )
    left, top, right, bottom = box
    plot = brightness(browser.picture())[max(top, 0) : bottom, left:right]
    margin = plot[:, :3].mean()
    assert margin > 0.95 if scheme == "light" else margin < 0.1
    # Curves and their labels stand out from what is behind them.
    far = plot < 0.5 if scheme == "light" else plot > 0.5
    assert far.mean() > 0.005


def test_it_asks_nobody_for_anything_and_complains_of_nothing(browser, page):
    events = browser.open(page)
    asked = [
        each["params"]["request"]["url"]
        for each in events
        if each["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [page.resolve().as_uri()]
    said = [
        each["params"]
        for each in events
        if each["method"]
        in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    ]
    assert said == []


def test_what_would_be_complained_of_is_seen_here(browser, tmp_path):
    """The test above could not fail if the browser kept its complaints to itself."""
    path = tmp_path / "faulty.html"
    path.write_text(
        '<!doctype html><title>x</title><img src="absent.png"><script>console.error(1)</script>'
    )
    events = browser.open(path)
    methods = [each["method"] for each in events]
    assert methods.count("Network.requestWillBeSent") == 2
    assert "Runtime.consoleAPICalled" in methods


def test_the_keyboard_reaches_everything_from_the_top_down(browser, page):
    browser.open(page)
    focusable = browser.evaluate(
        "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')]"
        ".filter(it => it.checkVisibility()).length"
    )
    reached = []
    for _ in range(focusable):
        browser.press_tab()
        reached.append(browser.evaluate(FOCUSED))
    assert (reached[0]["text"], reached[0]["href"]) == ("Skip to the results", "#main")
    assert "BODY" not in {each["tag"] for each in reached}
    assert len({(each["tag"], each["text"], each["label"], each["top"]) for each in reached}) == (
        focusable
    )
    # The navigation sticks to the top; all else comes in the order in which it is read.
    tops = [each["top"] for each in reached if each["tag"] != "A"]
    assert tops == sorted(tops)
    for each in reached:
        assert each["seen"], each
        assert each["outline"] != "none", each
        assert each["width"] >= 2, each


def test_nothing_is_cut_off_on_a_narrow_screen(browser, page):
    browser.open(page, width=360, height=800)
    width = browser.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def test_plots_are_printed_and_long_tables_are_not(browser, page):
    browser.open(page)
    browser.ask("Emulation.setEmulatedMedia", media="print", features=[])
    shown = browser.evaluate(
        "[...document.querySelectorAll('details')].map(it => [it.className, it.checkVisibility()])"
    )
    assert {(kind == "printed", seen) for kind, seen in shown} == {(True, True), (False, False)}
    plots = browser.evaluate(
        "[...document.querySelectorAll('details.printed svg')]"
        ".map(it => it.getBoundingClientRect().height)"
    )
    assert len(plots) == 2
    assert min(plots) > 100
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.printed().startswith(b"%PDF-")
