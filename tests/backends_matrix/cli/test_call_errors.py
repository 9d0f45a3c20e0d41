"""Wrong calls and missing things: one clear line, the right exit code, no traceback."""

import os
import zipfile

import numpy as np
import pytest


def complaint(done):
    lines = [line for line in done.errors.splitlines() if line.strip()]
    assert "Traceback" not in done.errors
    return lines[-1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["matrix", "imdbb"], "unknown experiment 'imdbb': expected imdb, boston, regularization"),
        (["matrix", "imdb", "--backends", "jaxx"], "unknown backend 'jaxx'"),
        (["matrix", "imdb", "--backends", ","], "no backend is given"),
        (["matrix", "imdb", "--pipelines", "nump"], "unknown pipeline 'nump'"),
        (["matrix", "imdb", "--data", "/does/not/exist"], "--data /does/not/exist does not exist"),
        (["matrix", "imdb", "--epochs", "0"], "expected N or EXPERIMENT[/VARIANT]=N"),
        (["matrix", "imdb", "--device", "abacus"], "'abacus' is not one of"),
        (["matrix", "imdb", "--setup", "jax"], "expected BACKEND=package.module:function"),
        (["run"], "Missing argument 'EXPERIMENT'"),
        (["run", "imdb", "--backend", "theano"], "'theano' is not one of"),
        (["run", "imdb", "--epochs", "none"], "'none' is not a valid integer"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
def test_a_wrong_call_is_answered_at_once_with_exit_2(portable, arguments, expected):
    done = portable(*arguments)
    assert done.code == 2
    assert expected in complaint(done)
    assert not (done.out / "logs").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["misbehaving:nothing"], "has no such object under nothing"),
        (["misbehaving:RECIPE"], "has a Recipe under RECIPE"),
        (["absent:study"], "the module absent is not found"),
        (["boston", "--variant", "kfoold"], "unknown variant 'kfoold': expected one of kfold"),
        (["boston", "--epochs", "imdb=3"], "--epochs names 'imdb'"),
    ],
)
def test_what_only_a_worker_can_know_is_wrong_with_exit_2_too(
    portable, backends, arguments, expected
):
    done = portable("matrix", *arguments, "--backends", backends[0])
    assert done.code == 2
    assert expected in complaint(done)


def test_a_backend_that_is_not_installed_is_said_and_the_others_run(
    portable, backends, environment, tmp_path
):
    absent = tmp_path / "absent"
    absent.mkdir()
    hidden = backends[-1]
    # A finder that hides the package stands for an environment without it.
    (absent / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        f"u.find_spec = lambda name, package=None: None if name == {hidden!r} else find(name, package)\n"
    )
    done = portable(
        "matrix",
        "misbehaving:sound",
        "--backends",
        ",".join(backends),
        "--variant",
        "plain",
        env={"PYTHONPATH": f"{absent}{os.pathsep}{environment['PYTHONPATH']}"},
    )
    assert done.code == 3
    text = done.output + done.errors
    assert f'pip install "portable-models[{hidden}]"' in text
    if len(backends) > 1:
        assert done.statuses()[("plain", backends[0])] == "ok"


def test_a_device_that_is_not_there_is_said_with_exit_3(portable, backends):
    done = portable("run", "misbehaving:sound", "--backend", backends[0], "--device", "tpu")
    assert done.code == 3
    assert "no tpu device" in done.errors + done.output


@pytest.mark.parametrize("content", [b"", b"no archive", "truncated"])
def test_a_corrupted_archive_is_said_with_exit_3_and_other_experiments_are_kept(
    portable, backends, tmp_path, content
):
    data = tmp_path / "data"
    data.mkdir()
    if content == "truncated":
        np.savez(data / "imdb.npz", x_train=np.arange(3))
        content = (data / "imdb.npz").read_bytes()[:100]
    (data / "imdb.npz").write_bytes(content)
    np.savez(
        data / "boston_housing.npz",
        x=np.random.default_rng(0).random((506, 13)),
        y=np.arange(506.0),
    )
    done = portable(
        "matrix",
        *("imdb", "boston", "--backends", backends[0], "--data", str(data)),
        *("--variant", "final", "--epochs", "1", "--replicas", "0"),
    )
    assert done.code == 3
    assert done.statuses()[("final", backends[0])]
    problems = {each["experiment"]: each["reason"] for each in done.report["problems"]}
    assert set(problems) == {"imdb"}
    assert "imdb.npz" in problems["imdb"]


def test_an_archive_with_pickles_of_unknown_hash_is_not_unpickled(portable, backends, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    path = tmp_path / "imdb.npz"
    boxed = np.empty(1, dtype=object)
    boxed[0] = Bomb()
    np.savez(path, x_train=boxed, y_train=[0], x_test=boxed, y_test=[0])
    (tmp_path / "exploded").unlink(missing_ok=True)
    assert zipfile.is_zipfile(path)
    done = portable("run", "imdb", "--backend", backends[0], "--data", str(path))
    assert done.code == 3
    assert "--trust" in done.output + done.errors
    assert not (tmp_path / "exploded").exists()


def test_a_folder_that_cannot_be_written_to_is_said_with_exit_2(portable, backends, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    done = portable("run", "boston", "--backend", backends[0], out=blocker / "inside")
    assert done.code == 2
    assert "cannot be written to" in complaint(done)


def test_a_folder_with_other_files_is_left_alone(portable, backends, tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.tex").write_text("precious")
    done = portable("run", "boston", "--backend", backends[0], out=out)
    assert done.code == 2
    assert "holds other files (chapter.tex" in complaint(done)
    assert [path.name for path in out.iterdir()] == ["chapter.tex"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema": 99}'])
def test_a_report_that_cannot_be_read_is_said(portable, tmp_path, content):
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    done = portable("report", str(tmp_path))
    assert done.code in (2, 3)
    assert "report.json" in complaint(done)


def test_help_names_the_exit_codes(portable):
    done = portable("--help")
    assert done.code == 0
    assert "0 all agree; 1 a difference was found" in " ".join(done.output.split())
