"""The page of a check: tables in colours, the errors drawn, and nothing of a user's text active."""

import re
from html.parser import HTMLParser

import pytest

from backends_matrix.check.layer_drawing import HIGHEST, LOWEST, draw_errors
from backends_matrix.check.page import render
from backends_matrix.check.result import Check, CheckReport, Kind, Reduced, Status, TargetResult

BAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m"


def report(name="model.py", layer="pool"):
    errors = {
        "jax": [{"layer": layer, "class": "Pool", "difference": 1e-8, "tolerance": 1e-6}],
        "torch": [{"layer": layer, "class": "Pool", "difference": 0.5, "tolerance": 1e-6}],
    }
    model = {
        "layers": [{"path": layer, "class": "Pool", "module": "keras", "parameters": 12}],
        "parameters": 12,
        "errors": errors,
    }
    checks = (
        Check("outputs", "jax", Status.PASS, difference=1e-8, tolerance=1e-6),
        Check(
            "outputs", "torch", Status.FAIL, Kind.KERAS, f"cause {name}", layer, name, 3, f"hint {name}",
            difference=0.5, tolerance=1e-6,
        ),
        Check("read file", "jax>torch", Status.SKIP, cause=name),
    )  # fmt: skip
    scripts = (Reduced("outputs", "torch", layer, f"{name}.py", name),)
    result = TargetResult(name, "not portable", checks, 1.5, f"reason {name}", model, scripts)
    return CheckReport((result,), {"versions": {"keras": "3"}})


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_a_layer_is_coloured_by_backend_and_names_its_checks():
    page = render(report())
    row = re.search(r"<tr><th><code>pool</code>.*?</tr>", page, re.S)[0]
    assert "12" in row
    assert 'class="st-pass">1e-08 / 1e-06</td>' in row
    assert re.search(r'class="st-fail"[^>]*>5e-01 / 1e-06; outputs</td>', row)


def test_every_check_has_a_row_with_its_status():
    page = render(report())
    assert re.search(r"<th>outputs</th><td class=\"st-pass\".*st-fail", page)
    assert re.search(r"<th>read file</th><td class=\"quiet\">–</td><td class=\"st-skip\"", page)


def test_the_errors_are_drawn_with_their_tolerances_on_a_log_scale():
    drawing = draw_errors(report().targets[0].model["errors"])
    axes = drawing.axes[0]
    assert axes.get_xscale() == "log"
    xs = [line.get_xdata()[0] for line in axes.lines]
    assert xs == pytest.approx([1e-8, 1e-6, 0.5, 1e-6])
    assert "<svg" in render(report())


@pytest.mark.parametrize(("difference", "drawn"), [(0.0, LOWEST), (None, HIGHEST), (1e9, HIGHEST)])
def test_what_lies_outside_of_the_scale_is_drawn_on_its_border(difference, drawn):
    entry = {"layer": "a", "class": "A", "difference": difference, "tolerance": 1e-6}
    assert draw_errors({"jax": [entry]}).axes[0].lines[0].get_xdata()[0] == drawn


def test_nothing_of_a_users_text_is_active():
    good, bad = Tags(render(report())), Tags(render(report(BAD, BAD)))
    assert sorted(set(bad.tags)) == sorted(set(good.tags))
    assert "script" not in bad.tags
    assert "img" not in bad.tags
    assert not [name for name in bad.attributes if name.startswith("on")]
    assert "\x1b" not in render(report(BAD, BAD))


def test_a_target_without_a_model_has_a_page():
    result = TargetResult("x.py", "error", (), reason="nothing was checked")
    assert "nothing was checked" in render(CheckReport((result,)))
