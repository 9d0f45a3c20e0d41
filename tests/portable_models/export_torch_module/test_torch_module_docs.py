"""The page on torch modules runs as it is written, its PyTorch part where Keras is blocked."""

import re
import subprocess
import sys
from pathlib import Path

from portable_models.export import torch_module

PAGE = Path(__file__).parents[3] / "docs" / "torch-module.md"


def test_every_block_of_the_page_runs_and_the_loss_goes_down(tmp_path, monkeypatch):
    train, tune, back = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(train, "train", "exec"), names)
    isolated = Path(torch_module.__file__).with_name("isolated.py")
    blocker = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('isolated', {str(isolated)!r});"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "sys.meta_path.insert(0, module.Blocker())\n"
    )
    command = [sys.executable, "-I", "-c", blocker + tune]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"loss \d\.\d{3} -> 0\.\d{3}\n", done.stdout)
    before = names["model"].evaluate(names["x"], names["y"], verbose=0)
    exec(compile(back, "back", "exec"), names)
    assert names["model"].evaluate(names["x"], names["y"], verbose=0) < 0.6 * before
