"""A table of what ``gpu.sh`` found, in Markdown; the exit code says whether all of it is as it should be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Key = tuple[str, str, str]
"""Backend, experiment and variant."""


def read(path: Path) -> dict[str, Any]:
    """A JSON file; empty where there is none."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def cells(folder: Path) -> dict[Key, dict[str, Any]]:
    """The cells of a run that are no replicas."""
    return {
        (cell["backend"], cell["experiment"], cell["variant"]): cell
        for cell in read(folder / "report.json").get("cells", ())
        if not cell["replica"]
    }


def is_expected(cell: Mapping[str, Any], rehearsal: bool) -> bool:
    """Whether a cell ran as it was asked to; on a CPU, trainings of few steps are left to ``Model.fit``."""
    left = rehearsal and "steps are so few" in cell["reason"]
    return cell["status"] == "ok" and (not cell["reason"] or left)


def checks(out: Path, rehearsal: bool) -> list[tuple[str, bool, str]]:
    """What is proven: its name, whether it holds, and what was seen.

    Args:
        out: the folder of the script.
        rehearsal: whether it ran on a CPU.
    """
    steps = [line.split("\t") for line in (out / "steps.tsv").read_text().splitlines()]
    failed = [name for name, code, *_ in steps if code != "0"]
    found = [("every step ended well", bool(steps) and not failed, ", ".join(failed) or "all")]
    draws = {path.stem: path.read_text().splitlines()[-1:] for path in out.glob("draws-*.log")}
    kinds = {str(digests) for digests in draws.values()}
    drawn = len(kinds) == 1 and kinds != {"[]"}
    found.append(("random draws have equal bits", drawn, f"{len(draws)} processes"))
    for name, what in (
        ("compare.json", "the CPU and the device agree"),
        ("engines.json", "programs and Model.fit agree on the device"),
    ):
        verdict = read(out / name).get("verdict", "not run")
        found.append((what, verdict == "agree", verdict))
    for name, what in (
        ("device", "the backends agree on the device"),
        ("level1", "steps agree with float64 (level 1)"),
    ):
        verdict = read(out / name / "report.json").get("verdict", "not run")
        found.append((what, verdict == "agree", verdict))
    levels = {each["level"] for each in read(out / "level1/report.json").get("comparisons", ())}
    found.append(("level 1 was compared", 1 in levels, f"levels {sorted(levels)}"))
    checked = read(out / "check.json")
    targets = checked.get("targets", ())
    verdicts = [each["verdict"] for each in targets]
    where = checked.get("environment", {}).get("device", "cpu")
    ran = sum(each["status"] == "pass" for target in targets for each in target["checks"])
    portable = verdicts == ["portable"] and (rehearsal or where != "cpu")
    found.append(("portable check passes on the device", portable, f"{ran} checks on {where}"))
    device = cells(out / "device")
    for backend in dict.fromkeys(backend for backend, _, _ in device):
        again = cells(out / f"again-{backend}")
        same = [
            cell["history"] == device.get(key, {}).get("history") for key, cell in again.items()
        ]
        name = f"the same bits again ({backend})"
        found.append((name, bool(same) and all(same), f"{len(same)} cells"))
    loop = cells(out / "loop")
    every = [*device.values(), *loop.values()]
    compiled = [cell for cell in every if is_expected(cell, rehearsal)]
    whole = bool(device and loop) and len(compiled) == len(every)
    found.append(("nothing failed or fell back", whole, f"{len(every)} cells"))
    return found


def environment_lines(out: Path) -> list[str]:
    """The card, and what was set, by backend."""
    environments: Mapping[str, Any] = read(out / "device/report.json").get("environment", {})
    lines = []
    for backend, held in environments.get("backends", environments).items():
        if isinstance(held, dict) and "backend" in held:
            facts = {name: held.get(name) for name in (backend, "card", "determinism", "precision")}
            lines.append(f"- {backend}: {json.dumps(facts)}")
    return lines


def table(out: Path) -> list[str]:
    """One line for each cell on the device."""
    slow, cpu = cells(out / "keras"), cells(out / "cpu")
    lines = [
        "| cell | status | s | of them compiling | Model.fit, s | CPU, s | host MB | device MB | engine |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    every = {key: ("", cell) for key, cell in cells(out / "device").items()}
    every |= {("loop", *key[1:]): ("loop: ", cell) for key, cell in cells(out / "loop").items()}

    def seconds(held: Mapping[Key, Any], key: Key) -> str:
        return f"{held[key]['seconds'] or 0:.1f}" if key in held else "-"

    def megabytes(size: int | None) -> str:
        return "-" if size is None else f"{size / 1e6:.0f}"

    for key, (_, cell) in every.items():
        parts = [
            " ".join(key),
            cell["status"],
            f"{cell['seconds'] or 0:.1f}",
            f"{cell.get('compile_seconds') or 0:.1f}",
            seconds(slow, key),
            seconds(cpu, key),
            megabytes(cell["peak_memory_bytes"]),
            megabytes(cell.get("device_peak_memory_bytes")),
            cell["reason"] or "compiled",
        ]
        lines.append("| " + " | ".join(parts) + " |")
    return lines


def main() -> int:
    """Print the summary; 0 where every check holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--rehearse", action="store_true")
    given = parser.parse_args()
    if given.rehearse:
        print("**A rehearsal on the CPU: it says nothing of a card.**\n")
    found = checks(given.out, given.rehearse)
    for name, holds, seen in found:
        print(f"- {'yes' if holds else '**NO**'}: {name} ({seen})")
    print()
    print("\n".join([*environment_lines(given.out), "", *table(given.out), ""]))
    if (given.out / "memory").exists():
        used = [int(line) for line in (given.out / "memory").read_text().split() if line.isdigit()]
        print(
            f"Memory in use on the card, all steps together: {max(used, default=0)} MB at most.\n"
        )
    print("| step | exit code | s |\n| --- | ---: | ---: |")
    for line in (given.out / "steps.tsv").read_text().splitlines():
        print("| " + " | ".join(line.split("\t")) + " |")
    return 0 if all(holds for _, holds, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
