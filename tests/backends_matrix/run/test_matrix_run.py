"""Whole runs on every installed backend: what agrees, what differs, what breaks."""

import json

import pytest


def joined(names):
    return ",".join(names)


@pytest.fixture(scope="module")
def sound(portable_in, tmp_path_factory, backends):
    """One run of the sound study on every installed backend, looked at by several tests."""
    folder = tmp_path_factory.mktemp("sound")
    return portable_in(folder)("matrix", "misbehaving:sound", "--backends", joined(backends))


def test_a_sound_study_agrees_on_every_backend(sound, backends):
    several = len(backends) > 1
    assert (sound.code, sound.report["verdict"]) == (0, "agree" if several else "ran"), sound.errors
    assert set(sound.statuses().values()) == {"ok"}
    levels = {each["level"] for each in sound.report["comparisons"]}
    assert levels == ({0, 2} if several else set())
    assert {claim["holds"] for claim in sound.report["claims"]} == {True}
    for name in ("report.json", "report.html", "junit.xml"):
        assert (sound.out / name).stat().st_size > 0


def test_the_report_says_what_the_time_went_into(sound):
    seconds = sound.report["seconds"]
    assert set(seconds) == {"running", "training", "steps", "judging", "reporting"}
    trained = sum(cell["seconds"] for cell in sound.report["cells"])
    assert seconds["training"] == pytest.approx(trained)
    # The study is too short for a program to pay on PyTorch.
    compiled = [cell for cell in sound.report["cells"] if cell["engine"] == "compiled"]
    assert {cell["backend"] for cell in compiled} >= {"jax", "tensorflow"}
    assert all(0 < cell["compile_seconds"] < cell["seconds"] for cell in compiled)
    assert seconds["steps"] == 0  # no difference was found
    assert min(seconds["judging"], seconds["reporting"]) > 0
    line = next(each for each in sound.output.splitlines() if each.startswith("Time: "))
    assert "judging" in line
    assert "figures" in line


def test_the_noise_floor_is_measured_on_two_backends(sound, backends):
    found = {
        (cell["backend"], cell["replica"])
        for cell in sound.report["cells"]
        if cell["variant"] == "plain" and cell["replica"]
    }
    second = backends[1] if len(backends) > 1 else backends[0]
    assert found == {(backends[0], 1), (backends[0], 2), (second, 3)}


@pytest.mark.parametrize(
    "digest",
    ["data", "order", "batches", "initial_weights", "random_bits", "recipe", "dropout_masks"],
)
@pytest.mark.parametrize("variant", ["plain", "dropout", "tested"])
def test_what_goes_into_a_training_is_the_same_on_every_backend(sound, backends, variant, digest):
    found = [
        cell["digests"][digest]
        for cell in sound.report["cells"]
        if cell["variant"] == variant and not cell["replica"]
    ]
    assert len(found) == len(backends)
    assert len(set(found)) == 1
    assert found[0] or (digest == "dropout_masks" and variant != "dropout")


def test_the_first_epochs_loss_with_dropout_is_the_same_on_every_backend(sound):
    losses = [
        cell["history"]["loss"][0]
        for cell in sound.report["cells"]
        if cell["variant"] == "dropout" and not cell["replica"]
    ]
    # Equal masks leave rounding; other masks move this loss by a tenth.
    assert max(losses) - min(losses) < 1e-5


def test_every_pipeline_delivers_the_same_batches_on_every_backend(portable, backends):
    pipelines = ["numpy", "pandas", "tf.data", "torch.DataLoader", "PyDataset"]
    needs = {"tf.data": "tensorflow", "torch.DataLoader": "torch"}
    usable = [name for name in pipelines if needs.get(name, backends[0]) in backends]
    done = portable(
        "matrix",
        "misbehaving:sound",
        "--backends",
        joined(backends),
        "--pipelines",
        joined(usable),
        *("--variant", "tested", "--replicas", "1"),  # the one with class_weight
    )
    assert (done.code, done.report["verdict"]) == (0, "agree"), done.output
    tested = [cell for cell in done.report["cells"] if not cell["replica"]]
    assert len(tested) == len(backends) * len(usable)
    assert len({cell["digests"]["batches"] for cell in tested}) == 1


@pytest.mark.parametrize(
    ("fault", "variant", "quantity"),
    [
        ("rho", "plain", "loss"),
        ("dropout_rate", "dropout", "dropout_masks"),
        ("initial_scale", "plain", "initial_weights"),
    ],
)
def test_a_planted_fault_is_found_and_named(portable, sound, backends, fault, variant, quantity):
    faulty = backends[-1]
    setup = ("--variant", variant, "--setup", f"{faulty}=faults:{fault}")
    setup += ("--replicas", "1", "--most-replicas", "3")
    setup += ("--steps", "never")  # test_step_runs.py has what is found there
    done = portable(
        "matrix", "misbehaving:sound", "--backends", joined({backends[0], faulty}), *setup
    )
    if len(backends) == 1:
        # Alone, the faulty backend has nobody to differ from but the sound run.
        (cell,) = [cell for cell in done.report["cells"] if not cell["replica"]]
        (clean,) = [
            cell
            for cell in sound.report["cells"]
            if cell["variant"] == variant and not cell["replica"]
        ]
        assert cell["history"]["loss"] != clean["history"]["loss"]
        return
    assert (done.code, done.report["verdict"]) == (1, "differ")
    found = [each for each in done.report["comparisons"] if each["verdict"] == "differs"]
    first = next(each for each in found if each["quantity"] == quantity)
    # Where the input is the same, more replicas must not explain the difference either.
    replicas = [cell["replica"] for cell in done.report["cells"] if cell["replica"]]
    assert sorted(replicas) == ([1, 2, 3] if fault == "rho" else [1])
    assert (first["experiment"], first["variant"]) == ("sound", variant)
    blamed = {each["backend"] for each in found} | {each["reference"] for each in found}
    assert faulty in blamed
    named = [f"sound/{variant}", quantity.replace("_", " "), first["backend"]]
    named += [f"epoch {first['epoch']}"] if first["epoch"] else []
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert any(all(word in line for word in named) for line in lines), done.output


@pytest.fixture(scope="module")
def crashing(portable_in, tmp_path_factory, backends):
    """Give a function that runs a study of which one variant kills its worker, in one folder."""
    portable = portable_in(tmp_path_factory.mktemp("crashing"))
    call = ("matrix", "misbehaving:crashing", "--backends", backends[0], "--replicas", "0")
    return lambda *options: portable(*call, *options)


@pytest.fixture(scope="module")
def crashed(crashing):
    return crashing()


def test_a_crashed_cell_is_named_and_the_others_are_kept(crashed, backends):
    assert crashed.code == 3
    assert crashed.statuses() == {
        ("plain", backends[0]): "ok",
        ("crash", backends[0]): "crashed",
        ("last", backends[0]): "ok",
    }
    assert "SIGKILL" in crashed.output


def test_resume_runs_only_what_is_missing(crashing, crashed):
    statuses = crashed.statuses()
    kept = {
        path: path.stat().st_mtime_ns for path in crashed.out.glob("cells/*-last-*/result.json")
    }
    assert len(kept) == 1
    again = crashing("--resume")
    assert again.code == 3
    assert "crash on" in again.errors
    assert "last on" not in again.errors
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert again.statuses() == statuses


def test_a_hanging_cell_is_given_up_and_the_others_are_kept(portable, backends):
    one = backends[0]
    done = portable(
        "matrix",
        "misbehaving:hanging",
        "--backends",
        one,
        "--replicas",
        "0",
        "--timeout",
        "10",
    )
    assert done.code == 3
    assert done.statuses() == {
        ("plain", one): "ok",
        ("hang", one): "timed out",
        ("last", one): "ok",
    }
    assert "no sign of life for 10 seconds" in done.output


def test_a_variant_that_raises_or_gives_nan_is_never_a_pass(portable, backends):
    one = backends[0]
    done = portable("matrix", "misbehaving:failing", "--backends", one, "--replicas", "0")
    assert done.code == 3
    assert done.statuses() == {
        ("plain", one): "ok",
        ("fail", one): "failed",
        ("nan", one): "diverged",
        ("last", one): "ok",
    }
    assert "this variant always fails" in done.output
    assert "is not a finite number" in done.output
    assert "Traceback" not in done.output + done.errors


@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_a_training_that_was_killed_goes_on_to_the_same_numbers(
    portable_in, tmp_path, backends, engine
):
    """Two variants: one training, and two folds, which some backends train side by side."""
    # So short a training is not compiled on PyTorch.
    chosen = (
        backends[0]
        if engine == "keras"
        else next((each for each in backends if each != "torch"), "")
    )
    if not chosen:
        pytest.skip("PyTorch alone compiles no training as short as this")
    (tmp_path / "told").mkdir()
    env = {"TOLD": str(tmp_path / "told")}
    portable = portable_in(tmp_path)
    call = ("run", "misbehaving:killed", "--backend", chosen, "--engine", engine)
    call += ("--checkpoint", "2")
    first = portable(*call, env=env)
    assert set(first.statuses().values()) == {"crashed"}
    # Each fold has a file, the other variant one.
    assert len([*first.out.glob("cells/*/checkpoints-*/training-*.npz")]) == 3
    for path in (tmp_path / "told").iterdir():
        path.write_text("")
    second = portable(*call, "--resume", env=env)
    assert set(second.statuses().values()) == {"ok"}
    assert not [*second.out.glob("cells/*/checkpoints-*")]
    # Five epochs had run, and four were kept; of the folds' ten, four of each, or all eight of one and two.
    told = {path.stem: path.read_text().split() for path in (tmp_path / "told").iterdir()}
    left = {"ValidateOnTest": 4, "KFold": 8 if engine == "compiled" else 6}
    assert {name: len(epochs) for name, epochs in told.items()} == left
    whole = portable(*call, out=tmp_path / "whole", env=env)
    histories = [
        {
            path.parent.name: json.loads(path.read_text())["outcome"]["history"]
            for path in each.out.glob("cells/*/result.json")
        }
        for each in (second, whole)
    ]
    assert len(histories[0]) == 2
    assert histories[0] == histories[1]


def test_without_resume_the_earlier_run_is_moved_aside_not_lost(portable, backends):
    call = ("run", "misbehaving:sound", "--backend", backends[0], "--variant", "plain")
    first = portable(*call)
    report = (first.out / "report.json").read_text()
    second = portable(*call)
    assert second.code == 0
    assert (second.out / "earlier-1" / "report.json").read_text() == report


def test_report_renders_again_from_the_document_alone(portable, backends):
    done = portable("run", "misbehaving:sound", "--backend", backends[0])
    for name in ("report.html", "junit.xml"):
        (done.out / name).unlink()
    again = portable("report", str(done.out))
    assert again.code == 0, again.errors
    assert (done.out / "report.html").exists()
    assert (done.out / "junit.xml").exists()
