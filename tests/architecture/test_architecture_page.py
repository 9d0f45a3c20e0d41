"""``docs/architecture.md`` names every folder and every module of the two packages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DRAWING = PAGE.split("## Two packages, one direction")[1].split("\n## ")[0]
FOLDERS = sorted(
    file.parent.relative_to(ROOT).as_posix()
    for package in ("portable_models", "backends_matrix")
    for file in (ROOT / package).rglob("__init__.py")
)
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("portable_models", "backends_matrix")
    for path in (ROOT / package).rglob("*.py")
    if not path.name.startswith("__") and path.parent.name != "torch_layers"
)


def test_there_are_folders_to_look_for():
    assert {"backends_matrix/run", "portable_models/_backend"} <= set(FOLDERS)
    assert "backends_matrix/run/worker.py" in MODULES


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_named(folder):
    name = folder.rpartition("/")[2]
    assert re.search(rf"\b{name}/", DRAWING), f"docs/architecture.md does not name {folder}/"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_named(module):
    name = module.rpartition("/")[2]
    assert re.search(rf"\b{name}\b", DRAWING), f"docs/architecture.md does not name {module}"


def test_no_module_is_named_that_is_not_there():
    named = set(re.findall(r"\b(\w+\.py)\b", DRAWING)) - {"__init__.py"}
    assert named <= {module.rpartition("/")[2] for module in MODULES}
