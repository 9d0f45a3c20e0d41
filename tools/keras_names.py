"""Write down the public names of the installed Keras, read from its source without importing it.

The linter reads the result, ``backends_matrix/lint/keras_names.json``, so that it needs no Keras::

    python tools/keras_names.py            # write the file
    python tools/keras_names.py --check    # exit status 1 when it is out of date
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path

NAMES = Path(__file__).parents[1] / "backends_matrix" / "lint" / "keras_names.json"
PRIVATE = {"src", "_tf_keras", "__pycache__"}


def public_names(package: Path) -> dict[str, list[str]]:
    """Every public module of Keras by its dotted name, and the names in it."""
    found: dict[str, list[str]] = {}
    for file in sorted(package.rglob("__init__.py")):
        parts = file.parent.relative_to(package).parts
        if PRIVATE & set(parts):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        folders = {each.parent.name for each in file.parent.glob("*/__init__.py")} - PRIVATE
        found[".".join(["keras", *parts])] = sorted(
            name for name in names | folders if not name.startswith("_")
        )
    return found


def rendered() -> str:
    """The content of the file for the installed Keras.

    Raises:
        ModuleNotFoundError: Keras is not installed.
    """
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("keras is not installed: its names cannot be read")
    return json.dumps(public_names(Path(spec.origin).parent), indent=0) + "\n"


def main() -> int:
    """Write or check the file."""
    text = rendered()
    if "--check" in sys.argv[1:]:
        return 0 if NAMES.read_text(encoding="utf-8") == text else 1
    NAMES.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
