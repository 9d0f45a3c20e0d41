"""The table of models, sources and targets: the command that makes it, and what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from export_rows import BEGIN, END, insert, page
from export_zoo_names import NAMES

from portable_models.export.routes import ROUTES

ROOT = Path(__file__).parents[3]
SOURCES = ("jax", "tensorflow", "torch")
WITHIN = {
    "model": "mlp",
    "source": "jax",
    "target": "onnx",
    "status": "verified",
    "difference": 5.4e-7,
    "beyond": 0,
    "checks": 6,
    "size_bytes": 7,
    "reason": "",
    "versions": {"onnx": "1.0"},
}
BEYOND = {**WITHIN, "target": "jax", "difference": 1.7e-6, "beyond": 1, "checks": 10}
REFUSED = {
    **WITHIN,
    "target": "litert",
    "status": "refused",
    "difference": None,
    "checks": 0,
    "reason": "it keeps state",
}


def test_page_counts_what_came_of_the_exports():
    text = page([WITHIN, BEYOND, REFUSED])
    words = " ".join(text.split())
    assert words.startswith("3 exports (1 refused, 2 verified), 16 comparisons.")
    assert "1 exports lie within 1e-06 on every check, at most 5.4e-07." in words
    assert "1 go beyond it on some check, up to 1.7e-06; the note says where." in words
    assert "| MLP with Dropout (`mlp`) | jax | 5e-07 | 2e-06 (1) | refused (2) |" in text
    assert "1. above 1e-06 only where the source model itself moves" in text
    assert "2. it keeps state" in text
    assert text.endswith("Made with onnx 1.0.")


def test_table_goes_between_the_markers_and_nowhere_else():
    written = insert(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new")
    assert written == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="has no <!-- table: begin -->"):
        insert("no markers", "new")


def test_command_makes_the_table_and_keeps_finished_rows(tmp_path, backends):
    document = tmp_path / "page.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    target = {"jax": "jax", "tensorflow": "saved_model", "torch": "torch"}[backends[0]]
    chosen = {"model": "custom", "source": backends[0], "target": target}
    options = [word for name, value in chosen.items() for word in (f"--{name}", value)]
    command = [sys.executable, str(ROOT / "tools" / "export_table.py"), *options]
    command += ["--work", str(tmp_path / "work"), "--page", str(document)]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "trained custom on" in first.stdout
    assert f"1 rows written to {document}: verified" in first.stdout
    made = document.read_text()
    assert re.search(rf"\(`custom`\) \| {backends[0]} \| \d", made)
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0
    assert "trained" not in again.stdout
    assert document.read_text() == made


def test_table_of_the_page_holds_every_model_source_and_target():
    document = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    table = document.split(BEGIN)[1].split(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    head, _, *found = rows
    assert head == ["model", "written on", *ROUTES]
    assert {(re.search(r"`(\w+)`", name).group(1), source) for name, source, *_ in found} == {
        (name, source) for name in NAMES for source in SOURCES
    }
    notes = set(re.findall(r"^(\d+)\. \S", table, re.MULTILINE))
    for name, source, *cells in found:
        assert len(cells) == len(ROUTES)
        for target, cell in zip(ROUTES, cells, strict=True):
            where = f"{name} from {source} to {target}: {cell}"
            outcome, note = re.fullmatch(r"(\S+)(?: \((\d+)\))?", cell).groups()
            # Every export stands or is refused; a refusal and a difference above 1e-6 are explained.
            assert note is None or note in notes, where
            assert note or float(outcome) <= 1e-6, where
            assert outcome == "refused" or float(outcome) < 1e-4, where
