"""``portable compare`` on made-up runs: nothing is trained, and no backend is imported."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from backends_matrix import compare
from backends_matrix.cli import main
from backends_matrix.report import read, validate

from .two_runs import portable, write


@pytest.fixture
def folders(tmp_path, small_document):
    """Give a function that writes two runs, each changed as it is told, and compares them."""

    def compare(second=lambda document: None, first=lambda document: None, arguments=()):
        for name, change in (("laptop", first), ("server", second)):
            document = json.loads(json.dumps(small_document))
            change(document)
            write(tmp_path / name, document)
        return portable(tmp_path, "laptop", "server", *arguments)

    return compare


def cells(document, backend="torch", variant="final", replicas=(0,)):
    for entry in document["cells"]:
        where = (entry["variant"], entry["backend"])
        if where == (variant, backend) and entry["replica"] in replicas:
            yield entry


def move(distance, epoch=2, **where):
    """A change that moves the validation loss of some cells at one epoch."""

    def change(document):
        for entry in cells(document, **where):
            entry["history"]["val_loss"][epoch - 1] += distance

    return change


def without_replicas(document):
    document["cells"] = [entry for entry in document["cells"] if not entry["replica"]]


def words_of(done):
    return " ".join(done.output.split())


def differing(done):
    return [each for each in done.found["comparisons"] if each["verdict"] == "differs"]


def test_a_run_agrees_with_its_like(folders):
    done = folders()
    assert done.exit_code == 0, done.output
    assert done.found["verdict"] == "agree"
    validate(done.found)
    # Two variants on three backends, each with its seven digests.
    level_0 = [each for each in done.found["comparisons"] if each["level"] == 0]
    assert len(level_0) == 2 * 3 * 7
    assert {(each["reference"], each["backend"]) for each in level_0} == {
        (name, name) for name in ("jax", "tensorflow", "torch")
    }
    assert "laptop and server agree" in done.output


def test_a_difference_beyond_the_floor_is_found_and_named(folders):
    done = folders(move(1e-3))
    assert done.exit_code == 1
    (found,) = differing(done)
    assert (found["variant"], found["backend"], found["epoch"]) == ("final", "torch", 2)
    assert (found["reference_run"], found["run"]) == ("laptop", "server")
    assert found["difference"] == pytest.approx(1e-3)
    assert "imdb/final on torch: val_loss on server differs from laptop at epoch 2" in words_of(
        done
    )
    assert "portable matrix imdb --variant final --steps always" in words_of(done)


@pytest.mark.parametrize("measured_in", ["laptop", "server"])
def test_the_floor_of_either_run_counts(folders, measured_in):
    floor = {measured_in: move(1e-3, backend="jax", replicas=(1,))}

    def second(document):
        move(1e-3)(document)
        floor.get("server", without_replicas)(document)

    done = folders(second, floor.get("laptop", without_replicas))
    assert done.exit_code == 0, done.output
    (found,) = [
        each
        for each in done.found["comparisons"]
        if (each["variant"], each["backend"], each["quantity"], each["epoch"])
        == ("final", "torch", "val_loss", 2)
    ]
    assert found["tolerance"] == pytest.approx(8e-3)


def test_what_the_runs_differ_by_is_no_part_of_the_floor(folders):
    done = folders(move(1e-3, backend="jax", replicas=(0, 1, 2)))
    assert done.exit_code == 1
    assert [each["backend"] for each in differing(done)] == ["jax"]


def test_other_inputs_are_an_error_at_level_0(folders):
    def reorder(document):
        for entry in cells(document):
            entry["digests"]["order"] = "0" * 64

    done = folders(reorder)
    assert done.exit_code == 1
    assert [(each["level"], each["quantity"]) for each in differing(done)] == [(0, "order")]
    assert done.found["explanations"][0]["kind"] == "order"
    assert "the runs were not given the same" in words_of(done)


def test_without_replicas_it_is_said_that_there_is_no_floor(folders):
    done = folders(without_replicas, without_replicas)
    assert done.exit_code == 0
    assert "no noise floor for imdb/validated, imdb/final" in words_of(done)
    assert "portable matrix imdb --replicas 3 --out DIR" in words_of(done)
    assert all("replicas" not in each["why"] for each in done.found["comparisons"])


def test_what_only_one_run_holds_is_said_and_the_rest_compared(folders):
    def lose(document):
        document["cells"] = [each for each in document["cells"] if each["backend"] != "torch"]

    done = folders(lose)
    assert done.exit_code == 0
    assert [(each["run"], each["variant"]) for each in done.found["only_in"]] == [
        ("laptop", "validated"),
        ("laptop", "final"),
    ]
    assert "only in laptop, and not compared: imdb/validated on torch" in words_of(done)
    assert {each["backend"] for each in done.found["comparisons"]} == {"jax", "tensorflow"}


def test_where_the_environments_differ_is_said(folders):
    def elsewhere(document):
        document["environment"]["platform"] = "a larger machine"
        document["environment"]["backends"]["jax"] |= {"device": "gpu", "new": "setting"}
        for entry in cells(document, "jax"):
            entry["device"] = "gpu"

    done = folders(elsewhere)
    found = {each["setting"]: each["second"] for each in done.found["environment_differences"]}
    assert found == {
        "platform": "a larger machine",
        "jax device": "gpu",
        "jax new": "setting",
        "device of imdb/final on jax": "gpu",
    }
    assert "jax new absent -> setting" in words_of(done)


def test_settings_of_a_backend_that_is_not_compared_are_not(folders):
    def lose(document):
        document["cells"] = [each for each in document["cells"] if each["backend"] != "torch"]
        document["environment"]["backends"]["torch"] = {"error": "not installed"}

    assert folders(lose).found["environment_differences"] == []


def rename(document):
    for part in ("cells", "comparisons", "claims", "examples"):
        for entry in document[part]:
            entry["experiment"] = "other"
    document["experiments"] = {"other": document["experiments"]["imdb"]}


def fail(document):
    document["verdict"] = "error"
    for entry in cells(document):
        entry |= {"status": "crashed", "reason": "killed by signal 9", "history": {}, "final": {}}


def lose_a_number(document):
    for entry in cells(document):
        entry["history"]["val_loss"][1] = None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            rename,
            "nothing can be compared: no experiment, variant, backend and pipeline is in both",
        ),
        (lambda document: document.update(cells=[]), "server holds no cell"),
        (fail, "imdb/final on torch on server: crashed: killed by signal 9"),
    ],
)
def test_what_cannot_be_compared_is_exit_3(folders, change, message):
    done = folders(change)
    assert done.exit_code == 3, done.output
    assert done.found["verdict"] == "error"
    assert message in words_of(done)


def test_a_number_that_one_run_lost_is_a_difference(folders):
    done = folders(lose_a_number)
    assert (done.exit_code, done.found["verdict"]) == (1, "differ"), done.output
    assert "val_loss" in words_of(done)


def test_a_difference_outranks_what_could_not_be_compared(folders):
    done = folders(lambda document: (move(1e-3, backend="tensorflow")(document), fail(document)))
    assert (done.exit_code, done.found["verdict"]) == (1, "differ")


def test_the_reports_are_written_and_rendered_again(folders, tmp_path):
    out = tmp_path / "compared"
    assert folders(arguments=("--out", "compared")).exit_code == 0
    assert {path.name for path in out.iterdir()} == {
        "report.json",
        "report.html",
        "junit.xml",
        "figures",
    }
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "laptop and server agree" in page
    assert "validated on torch" in page
    again = CliRunner().invoke(main, ["report", str(out)])
    assert again.exit_code == 0
    assert (out / "report.html").read_text(encoding="utf-8") == page
    # An earlier comparison is replaced, and is itself no run.
    assert portable(tmp_path, "laptop", "server", "--out", "compared").exit_code == 0
    refused = portable(tmp_path, "laptop", "compared")
    assert refused.exit_code == 2
    assert "holds a comparison of two runs" in refused.output


@pytest.mark.parametrize(
    ("out", "message"),
    [("server", "is one of the two runs"), ("other", "holds other files (report.json")],
)
def test_a_run_is_never_overwritten(folders, tmp_path, small_document, out, message):
    write(tmp_path / "other", small_document)
    done = folders(arguments=("--out", out))
    assert done.exit_code == 2
    assert message in done.output
    assert read(tmp_path / out)["verdict"] == "agree"
    assert "runs" not in read(tmp_path / out)


def test_no_framework_is_imported(folders, tmp_path):
    folders()
    program = (
        "import sys\nfrom backends_matrix.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(sorted({'keras', 'jax', 'tensorflow', 'torch'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "compare",
            str(tmp_path / "laptop"),
            str(tmp_path / "server"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_python_interface_gives_typed_records(document, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, document)
    found = compare(tmp_path / "a", tmp_path / "b")
    assert (found.verdict, found.exit_code) == ("agree", 0)
    assert {each.verdict.value for each in found.records.comparisons} >= {"agrees"}
    assert found.document["runs"][0]["name"] == "a"
