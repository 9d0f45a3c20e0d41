"""Whole runs on every installed backend: what agrees, what differs, what breaks."""

import itertools

import pytest


def joined(names):
    return ",".join(names)


def test_a_sound_study_agrees_on_every_backend(portable, backends):
    done = portable("matrix", "misbehaving:sound", "--backends", joined(backends))
    several = len(backends) > 1
    assert (done.code, done.report["verdict"]) == (0, "agree" if several else "ran"), done.errors
    assert set(done.statuses().values()) == {"ok"}
    levels = {each["level"] for each in done.report["comparisons"]}
    assert levels == ({0, 2} if several else set())
    assert {claim["holds"] for claim in done.report["claims"]} == {True}
    for name in ("report.json", "report.html", "junit.xml"):
        assert (done.out / name).stat().st_size > 0


def test_initial_weights_masks_and_the_first_epoch_are_the_same_on_every_backend(
    portable, backends
):
    done = portable("matrix", "misbehaving:sound", "--backends", joined(backends))
    cells = [cell for cell in done.report["cells"] if not cell["replica"]]
    for variant, group in itertools.groupby(
        sorted(cells, key=lambda cell: cell["variant"]), key=lambda cell: cell["variant"]
    ):
        group = list(group)
        assert len(group) == len(backends)
        for digest in ("data", "order", "batches", "initial_weights", "random_bits", "recipe"):
            assert len({cell["digests"][digest] for cell in group}) == 1, (variant, digest)
        masks = {cell["digests"]["dropout_masks"] for cell in group}
        assert len(masks) == 1
        losses = [cell["history"]["loss"][0] for cell in group]
        assert max(losses) - min(losses) < 1e-5
    assert any(cell["digests"]["dropout_masks"] for cell in cells if cell["variant"] == "dropout")


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
    )
    assert (done.code, done.report["verdict"]) == (0, "agree"), done.output
    tested = [
        cell
        for cell in done.report["cells"]
        if not cell["replica"] and cell["variant"] == "tested"  # the one with class_weight
    ]
    assert len(tested) == len(backends) * len(usable)
    assert len({cell["digests"]["batches"] for cell in tested}) == 1


@pytest.mark.parametrize(
    ("fault", "quantity"), [("rho", "loss"), ("dropout_rate", "loss"), ("seed", "initial_weights")]
)
def test_a_planted_fault_is_found_and_named(portable, backends, fault, quantity):
    faulty = backends[-1]
    # With one backend installed the fault is planted on it and shows against another run of it.
    if len(backends) == 1:
        clean = portable("matrix", "misbehaving:sound", "--backends", faulty)
        broken = portable(
            "matrix",
            "misbehaving:sound",
            "--backends",
            faulty,
            "--setup",
            f"{faulty}=faults:{fault}",
        )
        assert clean.report["cells"][0]["history"] != broken.report["cells"][0]["history"]
        return
    done = portable(
        "matrix",
        "misbehaving:sound",
        "--backends",
        joined(backends),
        "--setup",
        f"{faulty}=faults:{fault}",
    )
    assert (done.code, done.report["verdict"]) == (1, "differ")
    found = [each for each in done.report["comparisons"] if each["verdict"] == "differs"]
    assert {each["backend"] for each in found} == {faulty}
    assert quantity in {each["quantity"] for each in found}
    first = next(each for each in found if each["quantity"] == quantity)
    line = next(line for line in done.output.splitlines() if quantity in line and faulty in line)
    assert first["experiment"] in line
    if first["epoch"]:
        assert f"epoch {first['epoch']}" in line


def test_a_crashed_cell_is_named_and_the_others_are_kept(portable, backends):
    one = backends[0]
    done = portable("matrix", "misbehaving:crashing", "--backends", one, "--replicas", "0")
    assert done.code == 3
    assert done.statuses() == {
        ("plain", one): "ok",
        ("crash", one): "crashed",
        ("last", one): "ok",
    }
    assert "SIGKILL" in done.output


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
        "20",
    )
    assert done.code == 3
    assert done.statuses() == {
        ("plain", one): "ok",
        ("hang", one): "timed out",
        ("last", one): "ok",
    }
    assert "no sign of life for 20 seconds" in done.output


def test_a_variant_that_raises_or_gives_nan_is_never_a_pass(portable, backends):
    one = backends[0]
    done = portable("matrix", "misbehaving:failing", "--backends", one, "--replicas", "0")
    assert done.code == 3
    assert done.statuses() == {
        ("plain", one): "ok",
        ("fail", one): "failed",
        ("nan", one): "invalid",
        ("last", one): "ok",
    }
    assert "this variant always fails" in done.output
    assert "is not a finite number" in done.output
    assert "Traceback" not in done.output + done.errors


def test_resume_runs_only_what_is_missing(portable, backends):
    one = backends[0]
    call = ("matrix", "misbehaving:crashing", "--backends", one, "--replicas", "0")
    first = portable(*call)
    kept = {path: path.stat().st_mtime_ns for path in first.out.glob("cells/*-last-*/result.json")}
    assert len(kept) == 1
    again = portable(*call, "--resume")
    assert again.code == 3
    assert "crash on" in again.errors
    assert "last on" not in again.errors
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert again.statuses() == first.statuses()


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
