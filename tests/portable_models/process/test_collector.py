"""What importing does to Python's garbage collector, in processes of their own: it is what they share."""

import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run():
    """What a program prints; ``keras`` is a stand-in, as only its being there counts."""

    def run(program):
        head = "import gc, sys, types\nfrom portable_models._collector import imported_for_good\n"
        done = subprocess.run(
            [sys.executable, "-c", head + textwrap.dedent(program)],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    return run


IMPORT = "sys.modules['keras'] = types.ModuleType('keras')"


def test_what_a_new_process_imports_stays(run):
    program = f"""
    with imported_for_good():
        print(gc.isenabled())
        {IMPORT}
    print(gc.isenabled(), gc.get_freeze_count() > 0)
    """
    assert run(program) == ["False", "True", "True"]


def test_what_is_made_later_is_collected(run):
    program = f"""
    with imported_for_good():
        {IMPORT}
    class Own:
        def __del__(self): print("collected")
    own = Own(); own.self = own; del own
    gc.collect()
    """
    assert run(program) == ["collected"]


@pytest.mark.parametrize(
    "before",
    [
        "made = [[] for _ in range(60_000)]",
        "file = open('/dev/null', 'w')",
        "gc.freeze(); had = gc.get_freeze_count()",
        IMPORT,
    ],
    ids=["many objects", "an open file", "frozen before", "imported before"],
)
def test_a_process_that_has_done_something_is_left_alone(run, before):
    program = f"""
    had = 0
    {before}
    with imported_for_good():
        {IMPORT}
        later = [[] for _ in range(10)]
    print(gc.isenabled(), gc.get_freeze_count() == had)
    """
    assert run(program) == ["True", "True"]


def test_what_was_written_before_is_written_at_the_end(run, tmp_path):
    """A file in a cycle is flushed when the collector finds it: so it must be found."""
    path = tmp_path / "file"
    program = f"""
    class Log: pass
    log = Log(); log.self = log; log.file = open({str(path)!r}, "w"); log.file.write("all of it")
    with imported_for_good():
        {IMPORT}
    """
    run(program)
    assert path.read_text() == "all of it"


def test_a_collector_that_is_off_stays_off(run):
    program = f"""
    gc.disable()
    with imported_for_good():
        {IMPORT}
    print(gc.isenabled(), gc.get_freeze_count())
    """
    assert run(program) == ["False", "0"]


def test_an_import_that_fails_leaves_the_collector_on(run):
    program = """
    try:
        with imported_for_good():
            raise ImportError
    except ImportError:
        print(gc.isenabled(), gc.get_freeze_count())
    """
    assert run(program) == ["True", "0"]
