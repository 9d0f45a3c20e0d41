"""Calls of ``portable certify`` that are wrong: one line, exit code 2, and nothing is written."""

from pathlib import Path

import pytest

from .made_up import ENGINES, last_line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "no study is given"),
        (["bostn/kfold", "--metric", "m", "--margin", "2%"], "unknown experiment 'bostn'"),
        (["boston/kfold"], "no metric is given; expected for instance --metric val_loss"),
        (["boston/kfold", "--metric", "val_mae"], "--metric val_mae has no margin"),
        (["boston/kfold", "--margin", "2%"], "--margin is given and no --metric"),
        (["boston", "--metric", "a", "--margin", "2x"], "the margin '2x' is not understood"),
        (["boston", "--metric", "a", "--margin", "b=2%"], "'b' is not among the metrics (a)"),
        (["boston", "--metric", "a", "--margin", "2%", "--margin", "3%"], "two margins are given"),
        (
            ["boston", "--metric", "a", "--margin", "a=2%", "--margin", "a=3%"],
            "'a' has two margins",
        ),
        (["boston", "--metric", "accuracy", "--margin", "1"], "write 1% or 1pt"),
        (
            ["boston", "--metric", "a", "--margin", "2%", "--seeds", "1"],
            "expected auto, or a number",
        ),
        (["boston", "--metric", "a", "--margin", "2%", "--seeds", "many"], "expected auto"),
        (
            ["boston", "--metric", "a", "--margin", "2%", "--alpha", "0.7"],
            "alpha must be below 0.5",
        ),
        (["boston", "--metric", "a", "--margin", "2%", "--alpha", "nan"], "alpha must be between"),
        (["boston", "--metric", "a", "--margin", "2%", "--power", "1"], "power must be between"),
        (["boston", "--metric", "a", "--margin", "2%", "--timeout", "nan"], "no number of seconds"),
        (
            ["boston", "--metric", "a", "--margin", "2%", "--backends", "torch"],
            "only one side is given, torch",
        ),
        (["boston", "--against", "absent.json"], "there is no absent.json"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(portable, tmp_path, arguments, expected):
    done = portable("certify", *arguments)
    assert done.code == 2, done.errors
    assert expected in last_line(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("study", "metric", "expected"),
    [
        (
            "certified:study/plane",
            "loss",
            "has no variant 'plane': expected one of certified:study/plain",
        ),
        ("certified:study", "val_mae", "has no metric 'val_mae': expected one of"),
        (
            "misbehaving:sound",
            "loss",
            "has several variants: expected one of misbehaving:sound/plain",
        ),
    ],
)
def test_what_only_a_worker_can_know_is_exit_2_too(portable, backends, study, metric, expected):
    done = portable(
        *("certify", study, "--metric", metric, "--margin", "2%", "--backends", backends[0]),
        *ENGINES,
    )
    assert done.code == 2, done.errors
    assert expected in last_line(done)


@pytest.mark.parametrize("package", ["scipy", "statsmodels"])
def test_a_missing_package_is_one_line(portable, tmp_path, package):
    # A finder that knows nothing of the package, as where it is not installed.
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        f"u.find_spec = lambda name, *a: None if name == {package!r} else find(name, *a)\n"
    )
    done = portable(
        *("certify", "boston/kfold", "--metric", "val_mae", "--margin", "2%"),
        env=_path(tmp_path / "hide"),
    )
    assert done.code == 2
    assert f"a certificate needs {package}, which is not installed" in last_line(done)
    assert 'pip install "portable-models[certify]"' in last_line(done)


def _path(first):
    root = Path(__file__).parents[3]
    return {"PYTHONPATH": f"{first}:{root}"}
