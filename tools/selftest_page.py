"""Write what a self-test found into ``docs/selftest.md``.

python tools/selftest_page.py FILE   FILE is what ``portable selftest --json FILE`` wrote
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "selftest.md"
BEGIN, END = "<!-- found -->\n", "<!-- /found -->"


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Both tables, and what they come to."""
    clean = found["clean"]
    right = sum(
        each["kind"] == each["fault"]["kind"] and each["fault"]["place"] in each["said"]
        for each in found["faults"]
    )
    alarms = sum(bool(each["alarms"]) for each in clean)
    made = sum(each["comparisons"] for each in clean)
    yield (
        f"Planted on {found['faulty']}, with {found['reference']} as the reference: {right} of "
        f"{len(found['faults'])} found and named. Clean trainings: {len(clean)} with {made:,} comparisons, "
        f"{alarms} with an alarm."
    )
    yield ""
    yield "| planted | named | in | at level | largest difference / tolerance |"
    yield "| --- | --- | --- | --- | --: |"
    for each in found["faults"]:
        named = each["error"] or each["kind"] or "missed"
        levels = ", ".join(map(str, each["levels"]))
        where = each["fault"]["place"] if each["fault"]["place"] in each["said"] else "elsewhere"
        yield f"| {each['fault']['title']} | {named} | {where} | {levels} | {each['share']:.2g} |"
    yield ""
    yield "| clean variant | trainings | comparisons | alarms | largest share of a tolerance |"
    yield "| --- | --: | --: | --: | --: |"
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in clean:
        groups[f"{each['variant']} on {each['backend']}"].append(each)
    for name, group in groups.items():
        yield (
            f"| {name} | {len(group)} | {sum(each['comparisons'] for each in group):,} | "
            f"{sum(len(each['alarms']) for each in group)} | {max(each['share'] for each in group):.2f} |"
        )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    found = json.loads(parser.parse_args().file.read_text())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n".join(lines(found)) + "\n" + END + after)


if __name__ == "__main__":
    main()
