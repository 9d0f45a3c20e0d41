"""What importing the library leaves in a process: itself, and nothing else."""

import json
import os
import subprocess
import sys

import pytest

SNAPSHOT = """
import gc, importlib, json, logging, os, re, signal, sys, threading, warnings
import concurrent.futures, decimal, multiprocessing, pathlib, random, typing, unittest
import h5py, numpy, pytest, requests, rich

def value_of(held):
    # Plain values by what they are: an int is not always the same object.
    return repr(held) if isinstance(held, (int, float, str, bytes, bool, type(None))) else id(held)

def name_of(held):
    return re.sub(r" at 0x[0-9a-f]+", "", repr(held))

def modules():
    return {
        name: {key: value_of(held) for key, held in vars(module).items()}
        for name, module in list(sys.modules.items())
        if module is not None and name not in ("__main__",)
    }

def process():
    return {
        "meta_path": [name_of(each) for each in sys.meta_path],
        "path_hooks": [name_of(each) for each in sys.path_hooks],
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.get_debug()],
        "gc_callbacks": len(gc.callbacks),
        "warnings": [name_of(each) for each in warnings.filters],
        "signals": [name_of(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM)],
        "environment": dict(os.environ),
        "logging": [logging.root.level, len(logging.root.handlers)],
        "hooks": [name_of(each) for each in (sys.excepthook, sys.displayhook, threading.excepthook)],
        "recursion": sys.getrecursionlimit(),
        "directory": os.getcwd(),
        "threads": threading.active_count(),
    }

def changes(act):
    before, own = modules(), process()
    act()
    after, then = modules(), process()
    changed = sorted(
        f"{name}.{key}"
        for name in before
        if not name.startswith("portable_models")
        for key in before[name].keys() | after.get(name, {}).keys()
        if before[name].get(key) != after.get(name, {}).get(key)
        # A submodule that is imported becomes an attribute of its package.
        and after[name].get(key) != id(sys.modules.get(f"{name}.{key}"))
        and key != "__warningregistry__"
    )
    return {"modules": changed, "process": {k: [own[k], then[k]] for k in own if own[k] != then[k]}}
"""


def changes(statement):
    """What a statement changes in a fresh process that has imported other packages before."""
    script = f"{SNAPSHOT}\ndef act():\n    {statement}\nprint(json.dumps(changes(act)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("package", ["portable_models", "portable_models.export"])
def test_importing_changes_nothing_in_the_process(package):
    assert changes(f"import {package}") == {"modules": [], "process": {}}


def test_the_snapshot_sees_changes():
    statement = (
        "import gc, sys, warnings, requests; gc.freeze(); sys.meta_path.append(None); "
        "warnings.simplefilter('error'); del requests.__version__"
    )
    seen = changes(statement)
    assert "requests.__version__" in seen["modules"]
    assert {"meta_path", "gc", "warnings"} <= set(seen["process"])


def test_the_names_that_need_keras_change_what_keras_changes():
    """Whatever importing Keras and its backend changes is theirs; this library adds nothing to it."""
    keras = changes("import keras")
    ours = changes(
        "import portable_models; portable_models.fit, portable_models.files, portable_models.names"
    )
    assert set(ours["modules"]) <= set(keras["modules"])
    assert set(ours["process"]) <= set(keras["process"])
    for name, (_, after) in ours["process"].items():
        if name != "threads":
            assert after == keras["process"][name][1], name


def test_modules_of_others_work_after_importing(run):
    program = """
    import portable_models
    portable_models.fit
    import importlib.metadata, requests, pandas, matplotlib
    for module in (requests, pandas, matplotlib):
        assert module.__version__ == importlib.metadata.version(module.__name__), module
        assert type(module.__spec__.loader).__module__ == "_frozen_importlib_external"
    from keras.src.trainers.data_adapters import array_slicing
    assert "__getattr__" not in vars(array_slicing)
    print("sound")
    """
    assert run(program) == ["sound"]


def test_every_subpackage_is_found_as_an_attribute():
    import portable_models

    for name in ("data", "experiments", "export", "files", "losses", "metrics", "models", "names"):
        assert getattr(portable_models, name).__name__ == f"portable_models.{name}"
        assert name in dir(portable_models)
    with pytest.raises(AttributeError, match="module 'portable_models' has no attribute 'filse'"):
        _ = portable_models.filse
