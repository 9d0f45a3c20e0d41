"""Write the results of a run of the matrix into ``docs/results.md``.

python tools/results.py DIR      take the run in DIR: its figures, and what the pages need of its report
python tools/results.py --certificate FILE ...  take certificates, each in the place of an earlier one
python tools/results.py --check  say whether the pages are those of the run that was taken last
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT, PAGE = ROOT / "docs" / "results.json", ROOT / "docs" / "results.md"
CERTIFICATES = ROOT / "docs" / "certificates"
PICTURE = "validation-loss.png"

REMARKS = (
    "**Worst ratio** is the largest difference of any metric at any epoch, divided by its tolerance. Up to",
    "1 passes; 0.1 means that the largest difference used a tenth of its tolerance.",
    "",
    "**Undecidable from epoch n** means that from epoch n on rounding errors alone change at least one",
    "metric by more than the effect that matters (5 % of a metric, or one percentage point of an",
    "accuracy). From there on neither agreement nor a difference can be shown by one training. It is",
    "measured by *replicas*: trainings on one backend that are rounded otherwise.",
    "[What the words mean](matching.md).",
    "",
    "**Certificate** is the verdict of `portable certify` where one was made: many seeds on every side, each",
    "from the same weights, order and masks, held against a margin that was declared before",
    "([how](certify.md)). The files are in `docs/certificates`. A dash means that none was made.",
    "The number of seeds comes from a pilot of eight. For regularization/l2 it asked for seven, which left",
    "it undecided; 40 other seeds decided. For regularization/larger, whose training takes minutes, eight",
    "seeds were declared instead of a pilot.",
    "",
)
"""How the table is read."""

Report = Mapping[str, Any]


def condensed(report: Report) -> dict[str, Any]:
    """What the pages need of a report: figures, verdicts and claims, without the histories."""
    cells = [
        {
            **{key: cell[key] for key in ("experiment", "variant", "backend", "seconds", "final")},
            "epochs": max(map(len, cell["history"].values())),
            "last": {name: points[-1] for name, points in cell["history"].items()},
        }
        for cell in report["cells"]
        if not cell["replica"]
    ]
    groups: dict[tuple[str, str, int], list[Report]] = {}
    for each in report["comparisons"]:
        groups.setdefault((each["experiment"], each["variant"], each["level"]), []).append(each)
    judged = [
        {
            "experiment": experiment,
            "variant": variant,
            "level": level,
            "made": len(rows),
            "differ": sum(row["verdict"] == "differs" for row in rows),
            "undecidable": sum(row["verdict"] == "undecidable" for row in rows),
            "undecidable_from": min(
                (row["epoch"] for row in rows if row["verdict"] == "undecidable" and row["epoch"]),
                default=None,
            ),
            "largest_ratio": max(
                (row["difference"] / row["tolerance"] for row in rows if row["tolerance"]),
                default=0.0,
            ),
        }
        for (experiment, variant, level), rows in groups.items()
    ]
    kept = ("verdict", "created", "environment", "claims")
    words = list(report["command"])
    if "--out" in words:  # a folder of the machine that it ran on
        place = words.index("--out")
        del words[place : place + 2]
    return {
        **{key: report[key] for key in kept},
        "command": words,
        "engines": sorted({cell["engine"] for cell in report["cells"]}),
        "cells": cells,
        "judged": judged,
    }


def certificates() -> dict[tuple[str, str], Report]:
    """The certificates that are kept, by study and variant."""
    found = {}
    for path in sorted(CERTIFICATES.glob("*.json")):
        each = json.loads(path.read_text())
        found[each["study"]["experiment"], each["study"]["variant"]] = each
    return found


def certified(certificate: Report | None) -> str:
    """What a certificate says, metric by metric, with the interval of every side."""
    if certificate is None:
        return "–"
    parts: dict[tuple[str, str, int], list[str]] = {}
    for each in certificate["comparisons"]:
        margin = each["margin"]
        width = (
            f"{100 * margin['value']:g} %"
            if margin["kind"] == "relative"
            else f"{margin['value']:g}"
        )
        key = (f"{each['metric']} within {width}", each["verdict"], each["seeds"])
        tests = each["tests"]
        interval = ""
        if tests is not None and margin["kind"] == "relative":
            low, high = (100 * end for end in tests["interval"])
            interval = f" [{low:+.3f} %, {high:+.3f} %]"
        parts.setdefault(key, []).append(f"{each['side']}{interval}")
    return "; ".join(
        f"{metric}: {verdict.removesuffix(' within the margin')} ({seeds} seeds; {', '.join(sides)} "
        f"against {certificate['comparisons'][0]['reference']})"
        for (metric, verdict, seeds), sides in parts.items()
    )


def results_table(kept: Report) -> Iterator[str]:
    """One row for each variant: its figure on every backend, the verdict, and the certificate."""
    backends = list(kept["environment"]["backends"])
    made = certificates()
    heads = " | ".join(backends)
    yield f"| study | variant | epochs | figure | {heads} | worst ratio | verdict | certificate |"
    yield f"| --- | --- | --: | --- | {'--: | ' * len(backends)}--: | --- | --- |"
    variants = dict.fromkeys((cell["experiment"], cell["variant"]) for cell in kept["cells"])
    for experiment, variant in variants:
        cells = {
            cell["backend"]: cell
            for cell in kept["cells"]
            if (cell["experiment"], cell["variant"]) == (experiment, variant)
        }
        name, values = figure(cells)
        level_2 = next(
            each
            for each in kept["judged"]
            if (each["experiment"], each["variant"], each["level"]) == (experiment, variant, 2)
        )
        verdict = "differs" if level_2["differ"] else "agrees"
        if level_2["undecidable"]:
            verdict += f"; undecidable from epoch {level_2['undecidable_from']}"
        numbers = " | ".join(f"{values[backend]:.5f}" for backend in backends)
        epochs = next(iter(cells.values()))["epochs"]
        yield (
            f"| {experiment} | {variant} | {epochs} | {name} | {numbers} | "
            f"{level_2['largest_ratio']:.2g} | {verdict} | {certified(made.get((experiment, variant)))} |"
        )


def figure(cells: Mapping[str, Report]) -> tuple[str, dict[str, float]]:
    """The figure that stands for a variant: a final one where there is any, else the last validation loss."""
    final = next(iter(cells.values()))["final"]
    for name in ("test_accuracy", "test_mae", "mean_mae"):
        if name in final:
            return name, {backend: cell["final"][name] for backend, cell in cells.items()}
    return "last val_loss", {backend: cell["last"]["val_loss"] for backend, cell in cells.items()}


def claims_table(kept: Report) -> Iterator[str]:
    """One row for each published claim: what was found on every backend."""
    yield "| study | finding | published | measured | holds |"
    yield "| --- | --- | --- | --- | --- |"
    words = {True: "yes", False: "no", None: "not evaluated"}
    grouped: dict[tuple[str, str, str], list[Report]] = {}
    for claim in kept["claims"]:
        key = (claim["experiment"], claim["statement"], claim["published"])
        grouped.setdefault(key, []).append(claim)
    for (experiment, statement, published), found in grouped.items():
        by_text: dict[tuple[str, str], list[str]] = {}
        for claim in found:
            text = claim["measured"] or claim["reason"]
            by_text.setdefault((text, words[claim["holds"]]), []).append(claim["backend"])
        measured = "; ".join(
            text if len(by_text) == 1 else f"{', '.join(who)}: {text}"
            for (text, _), who in by_text.items()
        )
        holds = ", ".join(dict.fromkeys(word for _, word in by_text))
        yield f"| {experiment} | {statement} | {published} | {measured} | {holds} |"


def environment(kept: Report) -> str:
    """One sentence on what it ran on."""
    host = kept["environment"]
    versions = {
        name: version
        for each in host["backends"].values()
        for name, version in each.items()
        if name in ("keras", "numpy", "jax", "tensorflow", "torch")
    }
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return f"CPython {host['python']}, {host['cores']} cores, {host['machine']}; {listed}."


def page(kept: Report) -> str:
    """``docs/results.md``."""
    made = {
        level: sum(each["made"] for each in kept["judged"] if each["level"] == level)
        for level in (0, 2)
    }
    command = " ".join(["portable", *kept["command"][1:]])
    return "\n".join(
        [
            "# Results on the real data",
            "",
            f"Run on {kept['created'][:10]} with `{command}`; engine: {', '.join(kept['engines'])}. "
            f"{environment(kept)}",
            "",
            f"**Verdict: {kept['verdict']}.** {made[0]:,} comparisons at level 0 (digests), {made[2]:,} at "
            "level 2 (metrics per epoch); [what they mean](matching.md).",
            "",
            *results_table(kept),
            "",
            *REMARKS,
            "## Published findings",
            "",
            "Checked on every backend; they do not change the verdict.",
            "",
            *claims_table(kept),
            "",
            "This page is written by `tools/results.py` from the report of the run.",
            "",
        ]
    )


def take(directory: Path) -> None:
    """Take over a run."""
    report = json.loads((directory / "report.json").read_text())
    KEPT.write_text(json.dumps(condensed(report), indent=1) + "\n")
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    (source,) = directory.glob("figures/regularization*dropout*overlaid*.png")
    shutil.copyfile(source, images / PICTURE)


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--certificate", type=Path, nargs="+", default=())
    arguments = parser.parse_args()
    for path in arguments.certificate:
        study = json.loads(path.read_text())["study"]
        CERTIFICATES.mkdir(exist_ok=True)
        shutil.copyfile(path, CERTIFICATES / f"{study['experiment']}-{study['variant']}.json")
    if arguments.directory:
        take(arguments.directory)
    kept = json.loads(KEPT.read_text())
    wanted = {PAGE: page(kept)}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if arguments.check:
        for path in stale:
            print(f"{path.name} is not that of the last run; run tools/results.py", file=sys.stderr)
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
