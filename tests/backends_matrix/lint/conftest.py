"""The examples run on the backends only when they are asked for, and it is said when they do not."""

import pytest

from .calling import LAYER

LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config, items):
    if "backends" in (config.option.markexpr or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("backends")]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter, config):
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(
            f"{count} tests of the linter's examples on the backends did not run: ask with -m backends"
        )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTABLE_MODELS_CACHE", str(tmp_path / ".cache"))
    (tmp_path / "model.py").write_text(LAYER)
    return tmp_path
