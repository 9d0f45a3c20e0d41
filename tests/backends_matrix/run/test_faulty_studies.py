"""Studies, loads and claims that misbehave cost themselves only. One run holds them all."""

import os

import pytest

FAULTY = (
    *("raising_load", "nothing_loaded", "no_training", "no_test", "hostile_text", "noisy"),
    *("raising", "claiming", "long_name"),
)


@pytest.fixture(scope="module")
def faulty(portable_in, tmp_path_factory, backends):
    studies = [f"faulty:{name}" for name in FAULTY]
    call = ("--backends", backends[0], "--replicas", "0", "--epochs", "1")
    return portable_in(tmp_path_factory.mktemp("faulty"))(
        "matrix", *studies, "raising_module:study", *call
    )


def status(done, experiment, variant):
    [found] = [
        cell["status"]
        for cell in done.report["cells"]
        if (cell["experiment"], cell["variant"]) == (experiment, variant)
    ]
    return found


def reason(done, experiment, variant=None):
    [found] = [
        each
        for each in done.report["problems"]
        if each["experiment"] == experiment and variant in (None, each["variant"])
    ]
    return found


def test_the_run_could_not_do_everything_and_says_so_without_a_traceback(faulty):
    assert (faulty.code, faulty.report["verdict"]) == (3, "error"), faulty.errors
    assert "Traceback" not in faulty.output + faulty.errors


def test_what_is_sound_runs_beside_what_is_not(faulty):
    assert status(faulty, "claiming", "plain") == "ok"
    assert status(faulty, "hostile_text", "plain") == "ok"


@pytest.mark.parametrize(
    ("experiment", "words"),
    [
        ("raising_load", "KeyError: 'no such column'"),
        ("nothing_loaded", "must give a portable_models.data.DataSet; it gave NoneType"),
        ("no_training", "gave no training samples"),
        ("no_test", "the validation data is empty: it has 0 rows"),
        ("raising_module:study", "RuntimeError: this module always raises"),
    ],
)
def test_a_load_or_module_that_fails_is_named_and_costs_its_study(faulty, experiment, words):
    assert words in reason(faulty, experiment)["reason"]


def test_a_failure_names_the_users_file_and_line_and_the_log(faulty, backends):
    found = reason(faulty, "raising_load")
    assert "faulty.py:" in found["reason"]
    assert found["log"] == f"logs/{backends[0]}.log"
    assert f"(log: logs/{backends[0]}.log)" in faulty.output
    assert "raising_module.py:3" in reason(faulty, "raising_module:study")["reason"]


def test_noise_on_the_event_pipe_is_no_event_and_goes_to_the_log(faulty, backends):
    assert status(faulty, "noisy", "noise") == "ok"
    log = (faulty.out / "logs" / f"{backends[0]}.log").read_text()
    assert "noise on the first output" in log
    assert '"forged"' in log


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("hostile", "ValueError: "),
        ("unprintable", "UnprintableError: its message cannot be shown"),
        ("exits", "SystemExit: 0"),
    ],
)
def test_whatever_a_model_raises_is_its_cells_result(faulty, variant, words):
    assert status(faulty, "raising", variant) == "failed"
    assert words in reason(faulty, "raising", variant)["reason"]


def test_hostile_text_is_shown_harmlessly_at_every_place(faulty):
    shown = faulty.output + faulty.errors + (faulty.out / "report.html").read_text()
    assert "[bold red]" in shown
    assert "x" * 3000 not in faulty.output + faulty.errors
    for character in ("\x1b", "\x07", "\u202e", "\u2066"):
        assert character not in shown


def test_a_claim_that_fails_costs_itself_only(faulty):
    found = {claim["statement"]: claim for claim in faulty.report["claims"]}
    assert "no such metric" in found["this one raises"]["reason"]
    assert "faulty.py:" in found["this one raises"]["reason"]
    assert "it could not be checked" in found["this one gives a number"]["reason"]
    assert "must give a truth value and a text" in found["this one gives no text"]["reason"]
    assert (found["this one is sound"]["holds"], found["this one is sound"]["measured"]) == (
        True,
        "fine",
    )


def test_an_over_long_name_runs(faulty):
    assert status(faulty, "long_name", "v" * 300) == "ok"


@pytest.fixture(scope="module")
def suspicious(portable_in, tmp_path_factory, backends):
    """Studies that looked like a difference of backends; and a keras.json that would have made one."""
    folder = tmp_path_factory.mktemp("suspicious")
    (folder / "keras.json").write_text(
        '{"floatx": "float16", "epsilon": 0.01, "image_data_format": "channels_first", "backend": "torch"}'
    )
    chosen = ",".join(dict.fromkeys((backends[0], backends[-1])))
    return portable_in(folder)(
        *("matrix", "faulty:unseeded", "faulty:unseeded_data", "faulty:serialized_sgd"),
        *("--backends", chosen, "--replicas", "1", "--most-replicas", "1", "--epochs", "1"),
        env={"KERAS_HOME": str(folder), "KERAS_MAX_EPOCHS": "0"},
    )


def test_a_serialized_optimizer_is_no_difference(suspicious, backends):
    verdicts = [
        each["verdict"]
        for each in suspicious.report["comparisons"]
        if each["experiment"] == "serialized_sgd"
    ]
    assert "differs" not in verdicts
    assert ("agrees" in verdicts) == (len(backends) > 1)


@pytest.mark.parametrize(
    ("experiment", "part"), [("unseeded", "initial weights"), ("unseeded_data", "the data")]
)
def test_a_study_that_differs_from_itself_is_no_difference_of_backends(
    suspicious, backends, experiment, part
):
    if len(backends) == 1:
        assert suspicious.report["verdict"] == "ran"
        return
    assert (suspicious.code, suspicious.report["verdict"]) == (3, "error")
    found = reason(suspicious, experiment)
    assert "the study is not reproducible by itself" in found["reason"]
    assert part in found["reason"]
    verdicts = {
        each["verdict"]
        for each in suspicious.report["comparisons"]
        if each["experiment"] == experiment
    }
    assert verdicts == {"undecidable"}


def test_a_users_keras_json_and_shell_do_not_reach_the_workers(suspicious):
    for backend, found in suspicious.report["environment"]["backends"].items():
        assert found["keras_settings"] == {
            "floatx": "float32",
            "epsilon": 1e-7,
            "image_data_format": "channels_last",
        }, backend
    assert {len(cell["history"]["loss"]) for cell in suspicious.report["cells"]} == {1}


STUDY = """
import keras
from misbehaving import load, study_of, variant
from my_layers import activation


def build(data):
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, activation), layers.Dense(1, "sigmoid")]
    )


study = study_of("mine", variant("one", build, epochs=1), variant("two", build, epochs=1))
"""


@pytest.fixture(scope="module")
def resumed(portable_in, tmp_path_factory, backends, environment):
    """A study that is run, resumed unchanged, and resumed after a module that it imports was changed."""
    folder = tmp_path_factory.mktemp("resumed")
    (folder / "my_study.py").write_text(STUDY)
    (folder / "my_layers.py").write_text('activation = "relu"\n')
    env = {"PYTHONPATH": f"{folder}{os.pathsep}{environment['PYTHONPATH']}"}
    portable = portable_in(folder)
    call = ("matrix", "my_study:study", "--backends", backends[0], "--replicas", "0")
    found = [_read(portable(*call, env=env)), _read(portable(*call, "--resume", env=env))]
    (folder / "my_layers.py").write_text('activation = "tanh"\n')
    return [*found, _read(portable(*call, "--resume", env=env))]


def _read(done):
    """What a run said, and its losses; the next one replaces its report."""
    losses = [cell["history"]["loss"] for cell in done.report["cells"]]
    return done.errors, done.output, losses


def test_resume_keeps_what_is_unchanged_and_says_so(resumed):
    (_, _, losses), (errors, output, kept), _ = resumed
    assert "kept 2 cells of the earlier run" in errors
    assert "Note: kept 2 cells of the earlier run" in output
    assert kept == losses


def test_resume_notices_changed_code_that_the_study_imports(resumed):
    (_, _, losses), _, (errors, _, changed) = resumed
    assert "kept 0 cells of the earlier run, 2 are new because" in errors
    assert "my_layers.py has changed" in errors
    assert "the model's configuration changed" in errors
    assert changed != losses
