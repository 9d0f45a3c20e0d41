"""What Keras imports but training does not need is imported at its first use, in processes of their own."""

import importlib
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portable_models import _late


def printed(program, backend="jax"):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    return done.stdout.split()


HEAD = """
import sys
import portable_models
portable_models.Recipe
read = lambda: "matplotlib.figure" in sys.modules
print(read())
"""


@pytest.mark.parametrize(
    "use",
    [
        "import matplotlib.pyplot as plt; plt.close",
        "from matplotlib.pyplot import close",
        "from keras.src.visualization.plot_image_gallery import plt; plt.close",
    ],
)
def test_pyplot_is_read_when_it_is_used(use):
    assert printed(f"{HEAD}{use}\nprint(read())") == ["False", "True"]


def test_pandas_is_read_when_keras_takes_arrays_apart():
    program = """
    import sys
    import portable_models
    portable_models.Recipe
    print("pandas" in sys.modules)
    import keras, pandas
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    rows = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    print(len(model.fit(rows, rows["a"], verbose=0).history["loss"]))
    """
    assert printed(program) == ["False", "1"]


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_keras_on_another_backend_goes_without_jax(backend):
    program = """
    import sys
    import portable_models
    portable_models.Recipe
    print("jax" in sys.modules)
    import keras, jax
    print(keras.callbacks.OrbaxCheckpoint.__name__, jax.numpy.ones(1).shape == (1,))
    """
    assert printed(program, backend) == ["False", "OrbaxCheckpoint", "True"]


def test_what_tensorflow_takes_of_jax_is_there_when_it_is_called():
    program = """
    import portable_models
    portable_models.Recipe
    from tensorflow.lite.python import lite, util
    print(lite._jit is util._jit, lite._jit(lambda x: x + 1)(1).item())
    """
    assert printed(program, "tensorflow") == ["True", "2"]


def test_what_was_imported_before_stays():
    program = f"""
    import matplotlib.pyplot as before
    {textwrap.indent(HEAD, "    ").strip()}
    import matplotlib.pyplot as after
    print(before is after)
    """
    assert printed(program) == ["True", "True"]


def test_others_are_imported_as_ever():
    program = """
    import sys
    from portable_models._late import imported_late
    finders = list(sys.meta_path)
    with imported_late():
        import json.tool
    print(type(json.tool).__name__, finders == sys.meta_path)
    """
    assert printed(program) == ["module", "True"]


def test_without_matplotlib_keras_is_imported_all_the_same():
    """Nothing is found late that is not there at all."""
    program = """
    import sys
    sys.modules["matplotlib"] = None
    import portable_models
    portable_models.Recipe
    print("keras" in sys.modules)
    """
    assert printed(program) == ["True"]


@pytest.fixture
def late(tmp_path, monkeypatch):
    """Imports a module of this source late."""

    def late(source):
        (tmp_path / "left.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(_late, "LATE", ("left",))
        monkeypatch.delitem(sys.modules, "left", raising=False)
        with _late.imported_late():
            return importlib.import_module("left")

    return late


def test_what_is_there_already_is_not_left_out(asking):
    module, absent = asking(ASKS, there="there before")
    assert module.absent == absent == "there before"


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """Imports a module of this source, which goes without ``absent``."""

    def asking(source, there=None):
        (tmp_path / "absent.py").write_text("there = True\ndef function(*a, **b): return a, b")
        (tmp_path / "asks.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(
            _late,
            "LEFT_OUT",
            {"asks": _late.Without("absent", {"f": "absent:function", "whole": "absent"})},
        )
        for name in ("absent", "asks"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        if there:
            monkeypatch.setitem(sys.modules, "absent", there)
        with _late.imported_late():
            return importlib.import_module("asks"), importlib.import_module("absent")

    return asking


ASKS = """
try:
    import absent
except ImportError as error:
    absent, missing = None, error.name
"""


def test_what_is_left_out_is_there_for_everybody_else(asking):
    module, absent = asking(ASKS)
    assert (module.absent, module.missing, absent.there) == (None, "absent", True)
    assert module.f(1, b=2) == ((1,), {"b": 2})
    assert module.whole.there
    assert type(module.__spec__.loader).__module__ != _late.__name__


def test_other_threads_find_what_one_goes_without(asking):
    module, absent = asking(
        f"""
        import importlib, threading
        found = []
        thread = threading.Thread(target=lambda: found.append(importlib.import_module("absent")))
        thread.start(), thread.join()
        del importlib.sys.modules["absent"]
        {textwrap.indent(ASKS, " " * 8).strip()}
        """
    )
    assert module.found[0].there
    assert (module.absent, absent.there) == (None, True)


def test_a_module_that_fails_without_leaves_nothing_behind(asking):
    with pytest.raises(ModuleNotFoundError, match="absent is left out here"):
        asking("import absent")
    assert importlib.import_module("absent").there


def test_who_imports_a_part_of_a_package_finds_the_whole(tmp_path, monkeypatch):
    package = tmp_path / "whole"
    package.mkdir()
    (package / "__init__.py").write_text("held = 1\nfrom whole import other")
    (package / "other.py").write_text("from whole import held")
    (package / "part.py").write_text("from whole import other\nheld = other.held + 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(_late, "LATE", ("whole",))
    with _late.imported_late():
        whole = importlib.import_module("whole")
    assert "whole.other" not in sys.modules
    try:
        assert importlib.import_module("whole.part").held == 2
        assert (whole.other.held, list(whole.__path__)) == (1, [str(package)])
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "whole"]:
            del sys.modules[name]


def test_what_every_module_has_is_there_before(late, tmp_path):
    module = late("raise OSError")
    assert (module.__name__, module.__file__) == ("left", str(tmp_path / "left.py"))
    assert not hasattr(module, "__warningregistry__")


def test_a_name_that_is_not_there_is_missed_as_ever(late):
    module = late("held = 1")
    with pytest.raises(AttributeError, match="module 'left' has no attribute 'other'"):
        _ = module.other
    assert module.held == 1
    assert not hasattr(module, "other")
    assert "__getattr__" not in vars(module)


def test_a_list_of_names_is_that_of_the_module(late):
    assert {"held"} == {name for name in dir(late("held = 1")) if not name.startswith("__")}
    namespace = {}
    late("held = 2\n_private = 3")
    exec("from left import *", namespace)
    assert namespace["held"] == 2
    assert "_private" not in namespace


def test_a_module_keeps_its_own_getattr(late):
    module = late("def __getattr__(name): return name * 2")
    assert (module.ab, module.cd) == ("abab", "cdcd")


def test_a_module_that_looks_at_itself_while_it_runs(late):
    module = late(
        """
        import sys
        early = hasattr(sys.modules[__name__], "later")
        later = 1
        """
    )
    assert (module.later, module.early) == (1, False)


def test_a_module_that_fails_fails_at_each_use(late):
    module = late("raise OSError('no display')")
    for _ in range(2):
        with pytest.raises(OSError, match="no display"):
            _ = module.held


class WatchedLock:
    """A lock that says when somebody waits for it."""

    def __init__(self):
        self.lock = threading.RLock()
        self.waited_for = threading.Event()

    def __enter__(self):
        if not self.lock.acquire(blocking=False):
            self.waited_for.set()
            self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()


def test_threads_wait_for_one_that_runs_it(late, monkeypatch):
    lock, begun = WatchedLock(), threading.Event()
    source = """
        import sys
        begun, waited_for = sys.events
        begun.set()
        seen = waited_for.wait(60)
        held = 1
        """
    with monkeypatch.context() as patched:
        patched.setattr(_late.threading, "RLock", lambda: lock)
        module = late(source)
    monkeypatch.setattr(sys, "events", (begun, lock.waited_for), raising=False)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: module.held)
        assert begun.wait(60)
        second = threads.submit(lambda: module.held)
        assert (first.result(), second.result()) == (1, 1)
    assert module.seen
