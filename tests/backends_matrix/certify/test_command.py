"""``portable certify`` on a tiny study, as a user runs it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backends_matrix.certify import Verdict, read_certificate

from .made_up import ENGINES, last_line

FOREGROUND = Path(__file__).parents[2] / "studies" / "in_foreground.py"
QUESTION = ("--metric", "val_loss", "--metric", "val_accuracy", "--margin", "2%")
QUESTION += ("--margin", "val_accuracy=1pt")


@pytest.fixture(scope="module")
def others(backends):
    """Two sides on two backends, or on two engines where there is one backend only."""
    if len(backends) > 1:
        return ("--backends", ",".join(backends[:2]))
    return ("--backends", backends[0], *ENGINES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("certified")


@pytest.fixture(scope="module")
def clean(portable_in, folder, others):
    """A certificate of two sides that are alike."""
    arguments = ("certify", "certified:study", *others, *QUESTION, "--seeds", "6")
    return portable_in(folder)(*arguments, "--out", str(folder / "clean"))


def test_equal_sides_get_a_certificate(clean, folder):
    assert clean.code == 0, clean.output + clean.errors
    found = read_certificate(folder / "clean")
    assert found.verdict is Verdict.EQUIVALENT
    assert [(each.metric, len(each.seeds)) for each in found.comparisons] == [
        ("val_loss", 6),
        ("val_accuracy", 6),
    ]
    assert "verdict: equivalent within the margin" in clean.output
    assert found.study.experiment == "certified:study"
    for side in found.sides:
        assert side.environment["keras"]
        assert side.environment[side.backend]
    values = {each.values["val_loss"] for each in found.reference.results.values()}
    assert len(values) == 6  # seeds are different trainings


def test_the_pairs_are_so_alike_that_pairing_pays(clean, folder):
    loss, accuracy = read_certificate(folder / "clean").comparisons
    # The study does not part by rounding: seeds move the loss by percents, backends by a millionth.
    assert loss.tests.correlation > 0.999
    assert loss.tests.seeds_share < 1e-3
    # 6 seeds of 40 test samples.
    assert accuracy.counts.answers == 240


def test_the_pictures_are_drawn(clean, folder):
    for metric in ("val_loss", "val_accuracy"):
        assert (folder / "clean" / f"certificate-{metric}.png").stat().st_size > 10_000
        text = (folder / "clean" / f"certificate-{metric}.svg").read_text()
        assert "paired differences" in text
        assert "interval and margin" in text


def test_a_finished_run_is_resumed_without_training(clean, portable_in, folder, others):
    shutil.copytree(folder / "clean", folder / "again")
    arguments = ("certify", "certified:study", *others, *QUESTION, "--seeds", "6", "--resume")
    again = portable_in(folder)(*arguments, "--out", str(folder / "again"))
    assert again.code == 0, again.output + again.errors
    assert "kept 10 cells of the earlier run" in again.errors
    assert " ok " not in again.errors
    first, second = (
        json.loads((folder / name / "certificate.json").read_text()) for name in ("clean", "again")
    )
    assert first == second


def test_another_run_is_held_against_a_certificate(clean, portable_in, folder, backends):
    shutil.copytree(folder / "clean", folder / "theirs")
    done = portable_in(folder)(
        *("certify", "certified:study", "--against", str(folder / "theirs")),
        *("--backends", backends[0], "--out", str(folder / "mine")),
    )
    assert done.code == 0, done.output + done.errors
    found = read_certificate(folder / "mine")
    assert found.reference.name == f"{backends[0]} (certificate)"
    assert len(found.against) == 64
    assert set(found.margins) == {"val_loss", "val_accuracy"}
    (own,) = found.sides[1:]
    # The same backend on the same machine repeats itself exactly.
    assert own.results == found.reference.results


def test_a_certificate_is_not_held_against_itself(clean, portable_in, folder, backends):
    done = portable_in(folder)(
        *("certify", "certified:study", "--against", str(folder / "clean" / "certificate.json")),
        *("--backends", backends[0], "--resume", "--out", str(folder / "clean")),
    )
    assert done.code == 2
    assert "give another --out" in last_line(done)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--seeds", "7", "--seeds 7: the certificate has 6 seeds"),
        ("--seed", "9", "--seed and --against exclude each other"),
    ],
)
def test_seeds_that_a_certificate_does_not_have_are_refused(
    clean, portable_in, folder, backends, tmp_path, option, value, words
):
    done = portable_in(folder)(
        *("certify", "certified:study", "--against", str(folder / "clean"), option, value),
        *("--backends", backends[0], "--out", str(tmp_path / "out")),
    )
    assert done.code == 2, done.output + done.errors
    assert words in last_line(done)


def test_a_strangers_alpha_does_not_become_ones_own(clean, portable_in, folder, backends):
    theirs = folder / "lax"
    shutil.copytree(folder / "clean", theirs)
    document = json.loads((theirs / "certificate.json").read_text())
    document["plan"]["alpha"] = 0.45
    (theirs / "certificate.json").write_text(json.dumps(document))
    done = portable_in(folder)(
        *("certify", "certified:study", "--against", str(theirs), "--seeds", "2"),
        *("--backends", backends[0], "--out", str(folder / "strict")),
    )
    # The file may be refused, since its verdicts were made by another alpha; its alpha is never taken over.
    if done.code != 2:
        assert "alpha 0.05" in done.errors
        assert read_certificate(folder / "strict").plan.alpha == 0.05


def test_seeds_that_diverge_on_every_side_are_left_out_and_said(portable_in, folder, others):
    done = portable_in(folder)(
        *("certify", "diverging:everywhere/from_the_start", *others, "--seeds", "2"),
        *("--metric", "loss", "--margin", "2%", "--out", str(folder / "diverged")),
    )
    assert done.code == 3, done.output + done.errors
    found = read_certificate(folder / "diverged")
    assert all(each.diverged for side in found.sides for each in side.results.values())
    assert "Traceback" not in done.errors


def test_a_longer_learning_rate_on_one_backend_is_told_apart(portable_in, folder, backends):
    if len(backends) == 1:
        pytest.skip("a fault on one side needs two backends")
    done = portable_in(folder)(
        *("certify", "certified:study", "--backends", ",".join(backends[:2])),
        *("--metric", "loss", "--margin", "0.01%", "--seeds", "8", "--epochs", "60"),
        *("--setup", f"{backends[1]}=faults:learning_rate", "--out", str(folder / "rate")),
    )
    assert done.code == 1, done.output + done.errors
    (found,) = read_certificate(folder / "rate").comparisons
    assert found.verdict is Verdict.NOT_EQUIVALENT
    assert found.tests.wide_interval[1] < -0.0001
    assert "not equivalent: the difference is larger than 0.01 %" in done.output


def test_sides_with_other_initial_weights_are_no_pairs(portable_in, folder, backends):
    if len(backends) == 1:
        pytest.skip("a fault on one side needs two backends")
    done = portable_in(folder)(
        *("certify", "certified:study", "--backends", ",".join(backends[:2]), *QUESTION),
        *("--setup", f"{backends[1]}=faults:initial_scale", "--out", str(folder / "scale")),
    )
    assert done.code == 3, done.output + done.errors
    assert "with seed 0 the initial weights of" in done.output
    assert "so their trainings are no pairs" in done.output
    assert (
        "the first seed could not be compared on any side, so no more were trained" in done.errors
    )
    assert read_certificate(folder / "scale").verdict is Verdict.NOT_PAIRED


def test_sides_of_which_one_drops_its_last_batch_are_no_pairs(portable_in, folder, backends):
    if len(backends) == 1:
        pytest.skip("a fault on one side needs two backends")
    planted = f"{backends[1]}=backends_matrix.selftest.faults:last_batch"
    done = portable_in(folder)(
        *("certify", "certified:study", "--backends", ",".join(backends[:2]), *QUESTION),
        *("--setup", planted, "--out", str(folder / "dropped")),
    )
    assert done.code == 3, done.output + done.errors
    assert "with seed 0 the batches of" in done.output
    assert read_certificate(folder / "dropped").verdict is Verdict.NOT_PAIRED


def test_ctrl_c_keeps_finished_seeds_and_resume_continues(environment, tmp_path, backends):
    marker, out = tmp_path / "waiting", tmp_path / "out"
    command = [
        *(
            sys.executable,
            str(FOREGROUND),
            "certify",
            "certified:waiting",
            "--backends",
            backends[0],
        ),
        *(*ENGINES, "--metric", "val_loss", "--margin", "2%", "--seeds", "5", "--out", str(out)),
    ]
    settings = {
        "env": {**environment, "INTERRUPT_MARKER": str(marker)},
        "cwd": tmp_path,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    process = subprocess.Popen(command, **settings)
    while not marker.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 3, output + errors
    # The first seed is trained by itself on both sides; the other four of a side are built together.
    assert "2 of 10 trainings finished and are kept in" in errors
    assert "--resume continues from there" in errors
    assert "Traceback" not in errors
    assert not (out / "certificate.json").exists()  # half a certificate is none
    done = subprocess.run([*command, "--resume"], **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept 2 cells of the earlier run" in done.stderr


def test_a_certificate_does_not_decide_which_code_is_imported(clean, portable, folder):
    done = portable("certify", "--against", str(folder / "clean"))
    assert done.code == 2
    assert "which is code of its author's; name it on the command line" in last_line(done)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["boston/kfold"], "the certificate is of certified:study/plain; it cannot be compared"),
        (["certified:study", "--metric", "loss", "--margin", "2%"], "does not hold 'loss'"),
        (["certified:study", "--metric", "loss"], "does not hold 'loss'"),
        (
            ["certified:study", "--metric", "val_loss", "--margin", "3%"],
            "a margin is declared before the first run, so leave --margin out",
        ),
    ],
)
def test_a_certificate_of_another_question_is_refused(clean, portable, folder, arguments, expected):
    done = portable("certify", *arguments, "--against", str(folder / "clean"))
    assert done.code == 2
    assert expected in last_line(done)
