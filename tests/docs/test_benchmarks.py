"""The page of benchmarks says what the kept results say."""

import json
import subprocess
import sys
from pathlib import Path

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
