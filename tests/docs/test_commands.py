"""Every command of ``portable`` on the pages works as it is written."""

import pytest

from .pages import ROOT, blocks_of, commands, own_model, run, shown, without_numbers

SHORT = {
    "matrix": ("--epochs", "1", "--replicas", "0", "--steps", "never"),
    "selftest": ("--fault", "rmsprop_rho", "--seeds", "0"),
    "run": (),
    "compare": (),
    "report": (),
    "versions": (),
    "check": (),
    "lint": (),
    "certify": ("--seeds", "2", "--epochs", "1"),
}
"""What is added to a command so that a test of it is short: the words are tried, not the figures."""


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """A user's folder, in which the commands run one after the other as the pages give them."""
    folder = tmp_path_factory.mktemp("user")
    page = ROOT / "docs" / "your-own-study.md"
    (folder / "my_study.py").write_text(blocks_of(page)[0][1])
    (reviews,) = [text for _, text in blocks_of(page) if "my_reviews" in text and "import" in text]
    (folder / "my_reviews.py").write_text(reviews)
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
        # Which backends there are changes nothing about the words; PyTorch compiles nothing for one epoch.
        one = "torch" if "torch" in backends else backends[0]
        arguments += ["--backends", ",".join(backends) if "my_study:study" in rest else one]
    elif command == "certify":
        arguments += [
            "--engines",
            "compiled,keras",
            "--backends",
            "torch" if "torch" in backends else backends[0],
        ]
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
    if command == "certify":
        reached = (0, 1, 3)  # two seeds decide nothing
    if command == "selftest" and len(backends) == 1:
        reached = (3,)  # there is no other backend to find a fault by
    assert done.returncode in reached, done.stdout + done.stderr
    if len(backends) == 3:
        printed = [without_numbers(line) for line in done.stdout.splitlines()]
        for line in shown(words):
            assert without_numbers(line) in printed, done.stdout


def test_what_a_page_shows_is_held_against_what_is_printed():
    words = ("portable", "check", "model.py")
    assert len(list(shown(words))) > 5
    assert without_numbers("fit   ok 8e-08/2e-05  1,204 s") == "fit ok 0/0 0,0 s"
