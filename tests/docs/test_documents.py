"""The pages for people: every block of code runs, every command works, every link leads somewhere."""

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "docs/your-own-study.md",
        "docs/checking.md",
        "docs/lint.md",
        "docs/matching.md",
        "docs/training.md",
        "docs/comparing.md",
        "docs/selftest.md",
    )
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHORT = {
    "matrix": ("--epochs", "1", "--replicas", "0", "--steps", "never"),
    "selftest": ("--fault", "rmsprop_rho", "--seeds", "0"),
    "run": (),
    "compare": (),
    "report": (),
    "versions": (),
    "check": (),
    "lint": (),
}
"""What is added to a command so that a test of it is short: the words are tried, not the figures."""


def blocks(language):
    return [
        pytest.param(page, text, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
        if kind == language
    ]


def commands(program):
    lines = [
        (page, shlex.split(line[2:], comments=True))
        for page in PAGES
        for kind, text in BLOCK.findall(page.read_text())
        if kind == "console"
        for line in text.splitlines()
        if line.startswith("$ ")
    ]
    found = [words for _, words in lines if program(words)]
    return [pytest.param(words, id=" ".join(words)) for words in dict.fromkeys(map(tuple, found))]


def run(arguments, cwd, backend=""):
    path = os.pathsep.join(filter(None, (str(cwd), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": path}
    if backend:
        environment["KERAS_BACKEND"] = backend
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def own_model():
    """The file that the README checks as a user's own."""
    texts = [text for _, text in BLOCK.findall((ROOT / "README.md").read_text())]
    (model,) = [text for text in texts if text.startswith("# model.py\n")]
    return model


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_a_block_of_code_runs_on_every_backend_it_is_for(page, text, backends, tmp_path):
    meant = re.match(r"# KERAS_BACKEND=(\w+)", text)
    wanted = [name for name in backends if meant is None or name == meant.group(1)]
    for name in ("model.py", "my_package.py"):
        (tmp_path / name).write_text(own_model())
    program = ["-c", text]
    if "import pytest" in text:
        (tmp_path / "test_own_model.py").write_text(text)
        program, wanted = ["-m", "pytest", "--quiet", "test_own_model.py"], wanted[:1]
    outputs = set()
    for backend in wanted:
        done = run(program, tmp_path, backend)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.add(done.stdout)
    # What one block prints, it prints alike everywhere.
    assert len(outputs) <= 1


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """A user's folder, in which the commands run one after the other as the pages give them."""
    folder = tmp_path_factory.mktemp("user")
    page = ROOT / "docs" / "your-own-study.md"
    (folder / "my_study.py").write_text(BLOCK.findall(page.read_text())[0][1])
    (folder / "model.py").write_text(own_model())
    return folder


@pytest.mark.parametrize("words", commands(lambda words: words[0] == "portable"))
def test_a_command_works_as_it_is_written(words, user, backends):
    _, command, *rest = words
    arguments = [*rest, *SHORT[command]]
    if "--backends" in arguments:
        place = arguments.index("--backends") + 1
        arguments[place] = ",".join(
            name for name in arguments[place].split(",") if name in backends
        )
    elif command == "matrix":
        arguments += ["--backends", ",".join(backends)]
    if "--pipelines" in arguments:
        lacking = {"tensorflow": "tf.data", "torch": "torch.DataLoader"}
        absent = [pipeline for backend, pipeline in lacking.items() if backend not in backends]
        place = arguments.index("--pipelines") + 1
        arguments[place] = ",".join(
            name for name in arguments[place].split(",") if name not in absent
        )
    if "--backend" in arguments and arguments[arguments.index("--backend") + 1] not in backends:
        arguments[arguments.index("--backend") + 1] = backends[0]
    done = run(["-m", "backends_matrix", command, *arguments], user)
    # Without replicas there is no noise floor, so a shortened run may well report a difference (1): what is
    # tried here is that the command is understood and reaches a verdict (not 2 or 3).
    reached = (0, 1) if command in ("matrix", "report", "compare") else (0,)
    if command == "selftest" and len(backends) == 1:
        reached = (3,)  # there is no other backend to find a fault by
    assert done.returncode in reached, done.stdout + done.stderr


@pytest.mark.parametrize("words", commands(lambda words: "nox" in words and "-s" in words))
def test_a_session_of_nox_exists(words):
    sessions = re.findall(
        r"^def (\w+?)_?\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE
    )
    assert words[words.index("-s") + 1] in sessions


@pytest.mark.parametrize("words", commands(lambda words: "install" in words))
def test_what_is_installed_exists(words):
    for word in words[words.index("install") + 1 :]:
        name, _, extra = word.partition("[")
        if name == "portable-models":
            extras = importlib.metadata.metadata("portable-models").get_all("Provides-Extra")
            assert extra.rstrip("]") in extras
        else:
            assert name == "nox"


@pytest.mark.parametrize("page", sorted({*PAGES, *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")}))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_results_are_those_of_the_committed_run():
    rendered = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "results.py"), "--check"],
        cwd=ROOT,
        capture_output=True,
    )
    assert rendered.returncode == 0, rendered.stderr
