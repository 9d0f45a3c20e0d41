"""Write the table of known gaps into ``docs/findings.md``.

python tools/findings_page.py [--check]   --check writes nothing; 1 where the page is not up to date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gap_models import read_named

from portable_models.known_gaps import known_gaps

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "findings.md"
BEGIN, END = "<!-- found -->\n", "<!-- /found -->"
ALL = 3


def lines() -> Iterator[str]:
    """The table, by backend."""
    gaps = known_gaps()
    named = read_named()
    count = sum(bool(named.get(gap.id)) for gap in gaps)
    yield f"{len(gaps)} differences, each a test. `portable check` names {count} of them in a model."
    yield ""
    yield "| id | on | of what | named by `portable check` as | what happens, and what to do instead |"
    yield "| --- | --- | --- | --- | --- |"
    for gap in sorted(gaps, key=lambda each: (-len(each.backends), each.backends, each.id)):
        where = "all" if len(gap.backends) == ALL else ", ".join(gap.backends)
        link = f" ([upstream]({gap.link}))" if gap.link else ""
        said = words_for(named.get(gap.id, {}))
        cells = (f"`{gap.id}`", where, gap.thing, said, f"{gap.reason}{link}")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def words_for(entry: Mapping[str, Any]) -> str:
    """What the check has named in the gap's model, as ``tools/gap_models.py`` has recorded it."""
    if not entry:
        return "not named in any model"
    only = "" if entry["whose"] == "keras" else ", reported, and no failure"
    return f"{entry['kind']} of `{entry['layer']}`{only}"


def main() -> int:
    """Write the page, or say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    made = before + BEGIN + "\n".join(lines()) + "\n" + END + rest.partition(END)[2]
    if only_check:
        return 0 if made == text else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
