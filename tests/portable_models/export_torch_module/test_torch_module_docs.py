"""The page on torch modules runs as it is written: TensorFlow, PyTorch without Keras, and back."""

import os
import re
import subprocess
import sys
from pathlib import Path

from portable_models.export import torch_module

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "torch-module.md"
# What the page does not show: the loss before the fine-tuning, to compare with.
EVALUATE = "\nprint(model.evaluate(x, y, verbose=0))\n"


def run(text, folder, backends):
    """What a block of the page prints, on the backend that it names where that is installed."""
    wanted = re.match(r"# KERAS_BACKEND=(\w+)", text).group(1)
    backend = wanted if wanted in backends else backends[0]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_of_the_page_runs_and_the_loss_goes_down(tmp_path, backends):
    train, tune, back = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    before = float(run(train + EVALUATE, tmp_path, backends))
    isolated = Path(torch_module.__file__).with_name("isolated.py")
    blocker = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('isolated', {str(isolated)!r});"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "sys.meta_path.insert(0, module.Blocker())\n"
    )
    command = [sys.executable, "-I", "-c", blocker + tune]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"loss \d\.\d{3} -> 0\.\d{3}\n", done.stdout)
    assert float(run(back, tmp_path, backends)) < 0.6 * before
