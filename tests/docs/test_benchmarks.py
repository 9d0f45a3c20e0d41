"""The page of benchmarks says what the kept results say."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"


def test_the_page_is_made_from_the_results(tmp_path):
    copy = tmp_path / "benchmarks.md"
    copy.write_text(PAGE.read_text())
    program = (
        "import json, sys; from pathlib import Path; from page import write_page\n"
        "write_page(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(copy), str(RESULTS)],
        cwd=ROOT / "benchmarks",
        check=True,
    )
    assert copy.read_text() == PAGE.read_text()
    assert (tmp_path / "images" / "growth.svg").stat().st_size > 0


def test_every_backend_was_measured():
    results = json.loads(RESULTS.read_text())["results"]
    assert set(results) == {"jax", "tensorflow", "torch"}
    for found in results.values():
        assert {"kfold", "single", "members", "networks", "imdb", "boston"} <= set(found)


@pytest.mark.parametrize(("backend", "most"), [("jax", 1.2), ("tensorflow", 1.2), ("torch", 0.5)])
def test_many_members_cost_no_more_each_than_was_promised(backend, most):
    """A part of what one member alone takes for a step, by the median of what was measured last."""
    measured = json.loads(RESULTS.read_text())["results"][backend]["members"]
    for count in ("4", "16", "64"):
        assert median(measured[count]) <= most * median(measured["1"])


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_folds_train_many_times_faster_than_with_model_fit(backend):
    """What was measured with a warm cache; compiling counts."""
    measured = json.loads(RESULTS.read_text())["results"][backend]["kfold"]
    assert median(measured["keras"]) >= 20 * median(measured["total"])
