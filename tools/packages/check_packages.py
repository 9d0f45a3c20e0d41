"""Check models of packages from the index, and hold the verdicts against packages.toml.

    python tools/packages/check_packages.py requirements     # what to install, without dependencies
    python tools/packages/check_packages.py [PACKAGE ...]    # all packages, or some

Exit code 1: a verdict is another than the table's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
UNTRIED = "untried"
"""The verdict of a model that is checked and whose findings nobody has judged yet."""


def packages() -> list[dict[str, Any]]:
    """The rows of packages.toml."""
    rows: list[dict[str, Any]] = tomllib.loads((HERE / "packages.toml").read_text("utf-8"))[
        "package"
    ]
    return rows


def requirements() -> list[str]:
    """What is installed without dependencies, each once."""
    return list(
        dict.fromkeys(each for row in packages() for each in (*row["requires"], *row["needs"]))
    )


def verdicts(row: dict[str, Any], report: Path) -> dict[str, str]:
    """Check all models of a package in one call: verdict by model."""
    targets = [f"{HERE / row['file']}:{model}" for model in row["models"]]
    options = ["--timeout", str(row.get("timeout", 120)), "--json", str(report)]
    command = [sys.executable, "-m", "backends_matrix", "check", *options, *targets]
    subprocess.run(command, check=False)
    found = json.loads(report.read_text("utf-8"))["targets"]
    return {each["target"].rpartition(":")[2]: each["verdict"] for each in found}


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if arguments == ["requirements"]:
        print("\n".join(requirements()))
        return 0
    known = [row["name"] for row in packages() if row["models"]]
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        print(f"no such package in the table: {', '.join(unknown)}; expected {', '.join(known)}")
        return 2
    surprises = []
    with tempfile.TemporaryDirectory() as folder:
        for row in packages():
            if not row["models"] or (arguments and row["name"] not in arguments):
                continue
            found = verdicts(row, Path(folder) / f"{row['name']}.json")
            surprises += [
                f"{row['name']} {model}: {found.get(model, 'not checked')}, expected {expected}"
                for model, expected in row["models"].items()
                if found.get(model) != expected and not (expected == UNTRIED and model in found)
            ]
    print("\n".join(surprises) or "all verdicts are those of packages.toml")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
