"""Made-up reports of the three experiments, shaped like real ones; the curves are formulas.

What does not depend on a formula (environment, experiments, figures) is in ``made_up.json``.
"""

import copy
import hashlib
import json
import math
from pathlib import Path

import pytest

BACKENDS = ("jax", "tensorflow", "torch")
DIGESTS = ("batches", "data", "dropout_masks", "initial_weights", "order", "random_bits", "recipe")
# How fast the validation loss of a variant rises again.
RISES = {"original": 0.030, "smaller": 0.009, "l2": 0.006, "l1_l2": 0.001}
RISES |= {"activity_l2": 0.012, "dropout": 0.011, "larger": 0.052}
MADE_UP = json.loads(Path(__file__).with_name("made_up.json").read_text(encoding="utf-8"))


def wobble(*key):
    """A number in [-1, 1) that depends on the key only."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**31 - 1


def classifier_history(variant, epochs, rise):
    days = range(1, epochs + 1)
    loss = [0.47 * math.exp(-0.21 * (e - 1)) + 0.015 for e in days]
    validation = [
        0.285 + 0.2 * math.exp(-0.9 * (e - 1)) + rise * max(0, e - 4) + 0.003 * wobble(variant, e)
        for e in days
    ]
    return {
        "loss": loss,
        "accuracy": [1 - 0.42 * value for value in loss],
        "val_loss": validation,
        "val_accuracy": [0.925 - 0.17 * value for value in validation],
    }


def boston_history(epochs):
    days = range(1, epochs + 1)
    mae = [2.2 + 6 * math.exp(-0.12 * e) + 0.12 * wobble("boston", e) for e in days]
    validation = [
        2.35 + 4 * math.exp(-0.15 * e) + max(0, e - 80) * 0.003 + 0.15 * wobble("val", e)
        for e in days
    ]
    return {
        "loss": [value * value * 1.9 for value in mae],
        "mae": mae,
        "val_loss": [value * value * 2.1 for value in validation],
        "val_mae": validation,
    }


def trainings():
    """Each (experiment, variant) with the reference's history and final figures."""
    yield "imdb", "validated", classifier_history("imdb", 20, 0.03), {}
    final = {"test_loss": 0.2914273, "test_accuracy": 0.883, "test_mean_prediction": 0.5013}
    yield "imdb", "final", classifier_history("final", 4, 0.03), final
    folds = {f"fold_{n}_mae": 2.2 + 0.3 * wobble("fold", n) for n in range(1, 5)}
    folds["mean_mae"] = sum(folds.values()) / 4
    yield "boston", "kfold", boston_history(60), folds
    for name, rise in RISES.items():
        yield "regularization", name, classifier_history(name, 20, rise), {}


def floor(experiment, quantity, epoch):
    """The tolerance of an epoch; on Boston the noise floor grows exponentially."""
    if "accuracy" in quantity:
        return 2 / 1000
    growth = 1.35 ** max(0, epoch - 20) if experiment == "boston" else 1.0
    return 1.9e-6 * growth


def cell(experiment, variant, backend, history, final, replica=0, pipeline="numpy"):
    return {
        "experiment": experiment,
        "variant": variant,
        "backend": backend,
        "pipeline": pipeline,
        "device": "cpu",
        "engine": "keras",
        "replica": replica,
        "status": "ok",
        "reason": "",
        "seconds": 4 + 3 * abs(wobble(experiment, variant, backend)),
        "peak_memory_bytes": int(7e8 + 4e8 * abs(wobble(backend))),
        "history": history,
        "final": final,
        "digests": {name: hashlib.sha256(name.encode()).hexdigest() for name in DIGESTS},
    }


def comparison(experiment, variant, quantity, backend, pipeline, epoch, difference, tolerance):
    level = 0 if quantity in DIGESTS else 2
    undecidable = experiment == "boston" and epoch is not None and tolerance > 0.01
    verdict = "undecidable" if undecidable else "agrees"
    return {
        "level": level,
        "experiment": experiment,
        "variant": variant,
        "quantity": quantity,
        "epoch": epoch,
        "reference": "jax",
        "backend": backend,
        "pipeline": pipeline,
        "difference": difference,
        "tolerance": tolerance,
        "smallest_passing": difference,
        "verdict": verdict if difference <= tolerance else "differs",
        "why": "8 x the replicas' distance of 2.4e-07" if level else "digests are equal",
    }


def run_cell(document, experiment, variant, backend, pipeline, history, final):
    """Add a cell and, unless it is the reference, everything it is compared in."""

    def moved(quantity, epoch, value):
        if (backend, pipeline) == ("jax", "numpy") or "accuracy" in quantity:
            return value, 0.0
        tolerance = floor(experiment, quantity, epoch or 0)
        difference = tolerance * 10 ** (-2 + 1.6 * wobble(variant, backend, quantity, epoch)) * 0.5
        return value + difference, difference

    own_history, own_final, differences = {}, {}, []
    for quantity, points in history.items():
        pairs = [moved(quantity, epoch, value) for epoch, value in enumerate(points, start=1)]
        own_history[quantity] = [value for value, _ in pairs]
        differences += [(quantity, epoch, gap) for epoch, (_, gap) in enumerate(pairs, start=1)]
    for quantity, value in final.items():
        own_final[quantity], gap = moved(quantity, None, value)
        differences.append((quantity, None, gap))
    document["cells"].append(
        cell(experiment, variant, backend, own_history, own_final, pipeline=pipeline)
    )
    if (backend, pipeline) == ("jax", "numpy"):
        return
    where = (backend, pipeline)
    for name in DIGESTS:
        document["comparisons"].append(
            comparison(experiment, variant, name, *where, None, 0.0, 0.0)
        )
    for quantity, epoch, gap in differences:
        tolerance = floor(experiment, quantity, epoch or 0)
        document["comparisons"].append(
            comparison(experiment, variant, quantity, *where, epoch, gap, tolerance)
        )


def claims():
    statements = (
        ("imdb", "training loss falls at every epoch", "falls all the way", "0.4850 to 0.0237"),
        ("imdb", "validation loss is lowest before epoch 8 and rises after", "epoch 3 or 4", "4"),
        ("boston", "smoothed validation MAE is lowest between epochs 60 and 100", "epoch 80", None),
        ("boston", "mean MAE of the four folds is within 0.4 of the published", "2.3654", "2.9214"),
        (
            "regularization",
            "the dropout variant's final validation loss is below the original's",
            "clear improvement over the original",
            "0.4612 against 0.7653",
        ),
    )
    for experiment, statement, published, measured in statements:
        for backend in BACKENDS:
            known = measured is not None
            yield {
                "experiment": experiment,
                "statement": statement,
                "published": published,
                "backend": backend,
                "measured": measured or "",
                "holds": None if not known else not statement.startswith("mean MAE"),
                "reason": "" if known else "kfold ran 60 of 200 epochs",
            }


def examples():
    reviews = (
        ("? this film was a wonderful surprise from the first scene to the last ? ?", 0.9713, 1),
        ("? i kept waiting for the plot to begin and it never did what a waste of", 0.0248, 0),
        ("? not bad but not good either the lead is fine and the rest is ? ?", 0.5561, 0),
    )
    for text, probability, label in reviews:
        for backend in BACKENDS:
            shift = 1e-6 * wobble(backend, text)
            yield {
                "experiment": "imdb",
                "backend": backend,
                "text": text,
                "probability": probability + shift,
                "label": label,
            }


def make(pipelines=("numpy",)):
    """A report in which all backends agree."""
    document = copy.deepcopy(MADE_UP) | {
        "cells": [],
        "comparisons": [],
        "claims": list(claims()),
        "examples": list(examples()),
        "problems": [],
    }
    for experiment, variant, history, final in trainings():
        for backend in BACKENDS:
            for pipeline in pipelines:
                run_cell(document, experiment, variant, backend, pipeline, history, final)
        document["cells"] += [
            cell(experiment, variant, "jax", history, final, replica) for replica in (1, 2)
        ]
    return document


def differing():
    """A report in which two variants drift away on torch from the third epoch on."""
    document = make()
    document["verdict"] = "differ"
    for entry in document["comparisons"]:
        faulty = entry["variant"] in ("final", "dropout") and entry["backend"] == "torch"
        if faulty and entry["epoch"] and entry["epoch"] >= 3 and entry["quantity"].endswith("loss"):
            entry["difference"] = entry["smallest_passing"] = 2.1e-3 * (entry["epoch"] - 2)
            entry["verdict"] = "differs"
    for entry in document["cells"]:
        if entry["variant"] in ("final", "dropout") and entry["backend"] == "torch":
            for name in ("loss", "val_loss"):
                points = entry["history"][name]
                points[2:] = [value + 2.1e-3 * n for n, value in enumerate(points[2:], start=1)]
    return document


def broken():
    """A report without torch, with a cell that crashed and one that timed out."""
    document = make()
    document["verdict"] = "error"
    document["environment"]["backends"]["torch"] = {"error": "torch is not installed"}
    reasons = {
        ("imdb", "validated", "tensorflow"): ("crashed", "the worker was killed by signal 9"),
        ("boston", "kfold", "tensorflow"): ("timed out", "no epoch was finished in 600 s"),
    }
    for entry in document["cells"]:
        where = (entry["experiment"], entry["variant"], entry["backend"])
        status, reason = reasons.get(where, ("", ""))
        if entry["backend"] == "torch":
            status = "unavailable"
            reason = 'not installed: pip install "portable-models[torch]"'
        if status:
            entry.update(status=status, reason=reason, history={}, final={}, digests={})
            entry.update(seconds=None, peak_memory_bytes=None)
            document["problems"].append(
                {name: entry[name] for name in ("experiment", "variant", "backend", "pipeline")}
                | {"status": status, "reason": reason}
            )
    names = ("experiment", "variant", "backend")
    gone = [{name: problem[name] for name in names} for problem in document["problems"]]
    document["comparisons"] = [
        entry
        for entry in document["comparisons"]
        if {name: entry[name] for name in names} not in gone
    ]
    for entry in document["claims"]:
        if entry["backend"] == "torch":
            entry.update(holds=None, measured="", reason="the variant has no result")
    document["examples"] = [e for e in document["examples"] if e["backend"] != "torch"]
    return document


_MADE = {"agree": make(), "differ": differing(), "error": broken()}


@pytest.fixture
def document():
    """A report in which all backends agree; changed freely by a test."""
    return copy.deepcopy(_MADE["agree"])


@pytest.fixture
def differing_document():
    return copy.deepcopy(_MADE["differ"])


@pytest.fixture
def broken_document():
    return copy.deepcopy(_MADE["error"])


@pytest.fixture
def small_document(document):
    """One experiment with one figure, where a test needs to render quickly."""
    kept = document["experiments"]["imdb"]
    kept["figures"] = kept["figures"][:1]
    document["experiments"] = {"imdb": kept}
    for part in ("cells", "comparisons", "claims", "examples"):
        document[part] = [entry for entry in document[part] if entry["experiment"] == "imdb"]
    return document
