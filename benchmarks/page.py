"""The tables of docs/benchmarks.md, and the picture of how cost grows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
IMPORT = "the import of Keras alone"
TITLES = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}

Row = Sequence[str]


def write_page(page: Path, document: Mapping[str, Any]) -> None:
    """Put the tables between the page's marks, and the picture beside it."""
    text = page.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    body = "\n".join(_lines(document))
    page.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")
    draw_growth(document["results"], page.parent / "images" / "growth.svg")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    host, results = document["host"], document["results"]
    yield f"Measured on {host['cores']} cores, {host['platform']}, Python {host['python']}."
    yield from _table(
        "Boston, 4 folds x 100 epochs, batch 1: seconds",
        ("backend", "`Model.fit`", "compiling", "training", "ratio", "with compiling"),
        list(_folds(results)),
    )
    yield from _table(
        "One model, batch 1, apart from compiling: microseconds a step",
        ("backend", "samples", "compiled engine", "native loop", "ratio"),
        list(_singles(results)),
    )
    yield from _table(
        "Members trained together: microseconds a step and member",
        ("backend", "1", "4", "16", "64"),
        [
            (TITLES[name], *(_figure(each) for each in found["members"].values()))
            for name, found in results.items()
        ],
    )
    yield from _table(
        "Other networks: milliseconds an epoch, the first left out",
        ("backend", "network", "`Model.fit`", "compiled engine", "times faster", "remark"),
        list(_networks(results)),
    )
    if any("imdb" in found for found in results.values()):
        yield from _table(
            "IMDB as a whole program, start to predictions",
            (
                "backend",
                "way",
                "seconds",
                "times faster",
                "peak memory",
                "of published",
                "accuracy",
            ),
            list(_imdb(results)),
        )
        yield from _table(
            "`portable run boston`, all stages, import and compiling included: seconds",
            ("backend", "`Model.fit`, scaled", "compiled engine", "times faster"),
            [
                (
                    f"{TITLES[name]}, {when}",
                    _figure(found["boston"]["keras"]),
                    _figure(found["boston"][case]),
                    _ratio(found["boston"]["keras"], found["boston"][case]),
                )
                for name, found in results.items()
                for case, when in (("first", "first run"), ("ours", "again"))
            ],
        )


def _folds(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in results.items():
        for case, cache in (("kfold, cold", ", cold cache"), ("kfold", "")):
            if case not in found:
                continue
            times = found[case]
            training = [a - b for a, b in zip(times["total"], times["compiling"], strict=True)]
            yield (
                TITLES[name] + (cache or (", warm cache" if "kfold, cold" in found else "")),
                _figure(times["keras"]),
                _figure(times["compiling"]),
                _figure(training),
                _ratio(times["keras"], training),
                _ratio(times["keras"], times["total"]),
            )


def _singles(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in results.items():
        for samples, times in found["single"].items():
            for native in (key for key in times if key != "ours"):
                label = native.removeprefix("native").strip(", ")
                yield (
                    TITLES[name],
                    samples,
                    _figure(times["ours"]),
                    _figure(times[native]) + (f" ({label})" if label else ""),
                    _ratio(times["ours"], times[native]),
                )


def _networks(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in results.items():
        for network, times in found["networks"].items():
            yield (
                TITLES[name],
                network,
                _figure([1e3 * each for each in times["keras"]]),
                _figure([1e3 * each for each in times["compiled"]]),
                _ratio(times["keras"], times["compiled"]),
                times["reason"],
            )


def _imdb(results: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in results.items():
        published = found["imdb"]["published"]
        for way, runs in found["imdb"].items():
            seconds = [run["seconds"] for run in runs]
            memory = [run["peak_memory_bytes"] / 1e9 for run in runs]
            yield (
                TITLES[name],
                way,
                _figure(seconds),
                _ratio([run["seconds"] for run in published], seconds),
                f"{max(memory):.2f} GB",
                f"{max(memory) / max(run['peak_memory_bytes'] / 1e9 for run in published):.0%}",
                "" if way == IMPORT else f"{runs[0]['accuracy']:.4f}",
            )


def _figure(values: Sequence[float]) -> str:
    """Median, and the spread where it was measured more than once."""
    middle = f"{statistics.median(values):.3g}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.3g} to {max(values):.3g})"


def _ratio(above: Sequence[float], below: Sequence[float]) -> str:
    return f"{statistics.median(above) / statistics.median(below):.2g}"


def _table(title: str, heads: Row, rows: Sequence[Row]) -> Iterator[str]:
    yield from ("", f"### {title}", "")
    for row in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(row) + " |"


def draw_growth(results: Mapping[str, Any], path: Path) -> None:
    """Microseconds a step over samples, and over members."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, case, label in zip(
        figure.subplots(1, 2, sharey=True),
        ("single", "members"),
        ("samples", "members"),
        strict=True,
    ):
        for name, found in results.items():
            points = {
                int(size): statistics.median(times["ours"] if case == "single" else times)
                for size, times in found[case].items()
            }
            axes.plot(list(points), list(points.values()), marker="o", label=TITLES[name])
        axes.set(xscale="log", yscale="log", xlabel=label, xticks=list(points))
        axes.set_xticklabels([str(size) for size in points])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("microseconds a step and member")
    figure.axes[1].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
