"""What a person sees of a check."""

import io

from rich.console import Console

from backends_matrix.check.result import Check, CheckReport, Status, TargetResult
from backends_matrix.check.terminal import show


def shown(*checks):
    out = io.StringIO()
    report = CheckReport((TargetResult("model.py", "portable", checks),))
    show(report, Console(file=out, width=200))
    return out.getvalue()


def test_what_was_skipped_is_told_once_with_its_reason():
    free = "no axis but the batch is free"
    text = shown(
        Check("outputs", "jax", Status.PASS, difference=2e-7, tolerance=3e-5),
        *(Check("other sizes", name, Status.SKIP, cause=free) for name in ("jax", "torch")),
        Check("resume training", "jax", Status.SKIP, cause="the model [bold] has no optimizer"),
    )
    assert "ok 2e-07/3e-05" in text
    assert text.count(f"note: skipped other sizes: {free}") == 1
    assert "note: skipped resume training: the model [bold] has no optimizer" in text


def test_a_backend_that_is_not_installed_is_told_once():
    text = shown(
        Check("outputs", "jax", Status.PASS),
        Check("import", "torch", Status.SKIP, cause="torch is not installed"),
    )
    assert text.count("torch is not installed") == 1
