import subprocess
import sys

import pytest

from backends_matrix.report import ReportError, read, render_all


def test_every_file_is_written_and_listed(small_document, tmp_path):
    written = render_all(small_document, tmp_path / "run")
    assert [path.relative_to(tmp_path / "run").as_posix() for path in written] == [
        "report.json",
        "figures/imdb-loss-overlaid.png",
        "figures/imdb-loss-jax.png",
        "figures/imdb-loss-tensorflow.png",
        "figures/imdb-loss-torch.png",
        "figures/imdb-tolerance.png",
        "report.html",
        "junit.xml",
    ]
    found = sorted(path for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert found == sorted(written)


def on_one_backend(document):
    document["environment"]["backends"] = {"jax": document["environment"]["backends"]["jax"]}
    document["cells"] = [cell for cell in document["cells"] if cell["backend"] == "jax"]
    document["comparisons"] = []
    document["verdict"] = "ran"
    return document


def test_one_backend_is_drawn_once(small_document, tmp_path):
    render_all(on_one_backend(small_document), tmp_path)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["imdb-loss-jax.png"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "Each backend alone" not in page


def test_where_nothing_ran_there_is_no_empty_frame(small_document, tmp_path):
    document = on_one_backend(small_document)
    document["cells"] = []
    render_all(document, tmp_path)
    assert list((tmp_path / "figures").iterdir()) == []
    assert "<svg" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_rendering_again_from_the_file_gives_the_same_bytes(small_document, tmp_path):
    first = {path: path.read_bytes() for path in render_all(small_document, tmp_path)}
    second = {path: path.read_bytes() for path in render_all(read(tmp_path), tmp_path)}
    assert first == second


def test_names_from_the_document_stay_inside_the_folder(small_document, tmp_path):
    name = "../../etc/<x>:study"
    small_document["experiments"] = {name: small_document["experiments"]["imdb"]}
    for part in ("cells", "comparisons", "claims", "examples"):
        for entry in small_document[part]:
            entry["experiment"] = name
    written = render_all(small_document, tmp_path / "run")
    assert {path.parent for path in written} == {tmp_path / "run", tmp_path / "run" / "figures"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_experiments_whose_names_look_alike_get_files_of_their_own(small_document, tmp_path):
    imdb = small_document["experiments"]["imdb"] | {"figures": []}
    figures = small_document["experiments"]["imdb"]["figures"][:1]
    small_document["experiments"] = {
        "a:b": imdb | {"figures": figures},
        "a/b": imdb | {"figures": figures},
    }
    cells = on_one_backend(small_document)["cells"]
    small_document["cells"] = [
        cell | {"experiment": name} for name in ("a:b", "a/b") for cell in cells
    ]
    for part in ("claims", "examples"):
        small_document[part] = []
    written = render_all(small_document, tmp_path)
    assert len(set(written)) == 5


def test_an_invalid_document_writes_nothing(small_document, tmp_path):
    del small_document["cells"]
    with pytest.raises(ReportError, match="the document lacks the key 'cells'"):
        render_all(small_document, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_line(small_document, tmp_path):
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(ReportError, match=r"figures cannot be written: a file stands where"):
        render_all(small_document, tmp_path)


def test_reports_need_neither_keras_nor_a_framework():
    program = (
        "import sys, backends_matrix.report\n"
        "unwanted = {'keras', 'jax', 'tensorflow', 'torch', 'matplotlib.pyplot', 'jsonschema'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
