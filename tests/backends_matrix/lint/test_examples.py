"""Each rule finds its positive examples and nothing else; the backends show that it matters."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from backends_matrix.lint import lint_text
from backends_matrix.lint.fixing import apply_fixes
from backends_matrix.lint.rule import RULES

from .example import load

EXAMPLES = load()
PLAYED = [each for each in EXAMPLES if not RULES[each.rule].static]
BACKENDS = ("jax", "tensorflow", "torch")
# Small networks in float32, two optimizer steps: differences of rounding stay below 1e-5. The harm of a
# positive example is of order 1, or an exception.
TOLERANCE = 1e-4
SOUND = Path(__file__).with_name("sound")


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.id for each in EXAMPLES])
def test_the_rule_finds_a_positive_example_and_nothing_in_a_negative_one(example):
    found = {each.rule for each in lint_text(example.text, "example.py")}
    assert found == ({example.rule} if example.positive else set())


def test_every_rule_has_three_examples_of_each_kind():
    counted = Counter((each.rule, each.positive) for each in EXAMPLES)
    about_code = [code for code, rule in RULES.items() if rule.group != "comments"]
    assert len(about_code) >= 28
    assert [code for code in about_code if min(counted[code, True], counted[code, False]) < 3] == []


@pytest.mark.parametrize("path", sorted(SOUND.glob("*.py")), ids=lambda path: path.stem)
def test_sound_models_are_left_alone(path):
    assert lint_text(path.read_text(encoding="utf-8"), str(path)) == []


def mended(text):
    for _ in range(3):
        text = apply_fixes(text, lint_text(text, "example.py")).text
    return text


def test_a_safe_fix_leaves_nothing_of_its_rule():
    fixable = [
        (each, mended(each.text))
        for each in EXAMPLES
        if each.positive and mended(each.text) != each.text
    ]
    assert len(fixable) >= 15
    for example, text in fixable:
        assert lint_text(text, "example.py") == [], example.id


@pytest.fixture(scope="module")
def played(tmp_path_factory, backends):
    """What every example, and every mended positive one, gives on each backend."""
    if set(BACKENDS) - set(backends):
        pytest.skip(f"needs {', '.join(BACKENDS)}; installed: {', '.join(backends)}")
    texts = {each.id: each.text for each in PLAYED}
    for each in PLAYED:
        if each.positive and mended(each.text) != each.text:
            texts[f"{each.id}-mended"] = mended(each.text)
    folder = tmp_path_factory.mktemp("examples")
    source = folder / "texts.json"
    source.write_text(json.dumps(list(texts.values())))
    results = {}
    for backend in BACKENDS:
        target = folder / f"{backend}.json"
        child = Path(__file__).with_name("child_of_examples.py")
        done = subprocess.run(
            [sys.executable, str(child), str(source), str(target)],
            env={
                **os.environ,
                "KERAS_BACKEND": backend,
                # Hundreds of small programs: compiling them well takes longer than running them.
                "XLA_FLAGS": "--xla_backend_optimization_level=0",
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        results[backend] = dict(zip(texts, json.loads(target.read_text()), strict=True))
    return results


def harm(example, results):
    """What is wrong in the results of the backends; empty where all is well."""
    errors = {backend: each["error"] for backend, each in results.items() if "error" in each}
    if errors:
        return f"fails: {errors}"
    if example.warns and all(
        any(example.warns in text for text in each["warnings"]) for each in results.values()
    ):
        return "Keras warns"
    # What draws goes on drawing after it is loaded; that it loads at all is seen by the lack of an error.
    if not example.random and not all(each["reloads"] for each in results.values()):
        return "is another model once it is loaded"
    if len({each["repeats"] for each in results.values()}) > 1:
        return "repeats itself on some backends only"
    if example.random:
        return ""
    reference = results["jax"]["values"]
    for backend, each in results.items():
        if [shape for shape, _ in each["values"]] != [shape for shape, _ in reference]:
            return f"{backend} gives other shapes"
        for (_, mine), (_, theirs) in zip(each["values"], reference, strict=True):
            if not np.allclose(mine, theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                return f"{backend} gives other numbers"
    return ""


@pytest.mark.backends
@pytest.mark.parametrize("example", PLAYED, ids=[each.id for each in PLAYED])
def test_a_positive_example_fails_or_differs_somewhere_and_a_negative_one_does_not(example, played):
    found = harm(example, {backend: played[backend][example.id] for backend in BACKENDS})
    if example.positive:
        assert found != ""
    else:
        assert found == ""


@pytest.mark.backends
@pytest.mark.parametrize(
    "example",
    [each for each in PLAYED if each.positive and mended(each.text) != each.text],
    ids=lambda each: each.id,
)
def test_a_mended_example_is_well_on_every_backend(example, played):
    found = {backend: played[backend][f"{example.id}-mended"] for backend in BACKENDS}
    assert harm(example, found) == ""
