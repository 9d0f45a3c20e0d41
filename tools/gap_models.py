"""Check the models of ``tests/check_corpus/gaps`` and write what ``portable check`` says of each.

python tools/gap_models.py [ID ...]   all known gaps, or these; the others keep what was written before

Every known gap has a model there that meets it as models that people write do. What the check names is
written to ``docs/findings.json``, which ``tools/findings_page.py`` reads and a test compares with new checks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from backends_matrix.check import CheckSettings, TargetResult, check
from backends_matrix.check.pool import Pool
from portable_models.known_gaps import KnownGap, known_gaps

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "tests" / "check_corpus" / "gaps"
FILE = ROOT / "docs" / "findings.json"

KINDS = {
    "outputs": "forward", "outputs in training": "forward", "outputs of other sizes": "forward",
    "loss": "loss", "gradients": "gradient", "one step": "optimizer", "state": "statistics",
    "fit": "training", "state after fit": "training", "evaluate": "metric", "fit logs": "metric",
    "compile config": "configuration", "warnings": "warning",
}  # fmt: skip
"""Check -> what kind of difference its first failure is; every other check fails with an exception."""


def model_of(gap: KnownGap) -> Path:
    """The file of a gap's model."""
    return MODELS / f"{gap.id.replace('-', '_')}.py"


def named(gap: KnownGap, result: TargetResult) -> dict[str, Any]:
    """What a check has said of a gap: kind, layer and backends of the rows that bear its id; {} for none.

    The first row decides: what comes after it follows from it.
    """
    rows = [row for row in result.checks if row.known_gap == gap.id and ">" not in row.backend]
    if not rows:
        return {}
    first = rows[0]
    return {
        "check": first.name,
        "kind": KINDS.get(first.name, "exception"),
        "whose": str(first.kind),
        "layer": first.layer,
        "line": first.line,
        "backends": sorted({row.backend for row in rows if row.kind == first.kind}),
        "others": sorted({row.backend for row in result.failures if not row.known_gap}),
    }


def read_named() -> dict[str, dict[str, Any]]:
    """What was written last, by gap."""
    if not FILE.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Check them and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*")
    ids = parser.parse_args().ids
    gaps = {gap.id: gap for gap in known_gaps()}
    found = {name: entry for name, entry in read_named().items() if name in gaps}
    with Pool(CheckSettings()) as pool:
        for name in ids or gaps:
            result = check(str(model_of(gaps[name])), pool=pool).targets[0]
            found[name] = named(gaps[name], result)
            print(f"{name}: {found[name] or 'not named'}", flush=True)
            text = json.dumps({name: found[name] for name in gaps if name in found}, indent=1)
            FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
