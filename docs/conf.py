"""Settings of the site: ``nox -s docs``. Nothing is fetched while it is built or read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]
# The reference is read from the docstrings, which needs Keras on any one backend.
os.environ.setdefault("KERAS_BACKEND", "jax")

from site_pages import write_lesson_pages  # noqa: E402

project = "portable_models"
author = "The portable_models authors"
project_copyright = "Apache-2.0"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "portable_models"
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# Pages say "### PK101" below "# rules", as GitHub shows them.
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

write_lesson_pages(ROOT / "lessons", ROOT / "docs" / "_made" / "lessons")
