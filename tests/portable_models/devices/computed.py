"""Work that a process of its own has done on a device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


class Computed:
    """What one process computed.

    Args:
        script: the program in this folder.
        kind: its first argument.
        folder: for its files.
        names: what it does.
        environment: variables beside those of this process.
    """

    def __init__(self, script, kind, folder, names, environment):
        out = folder / f"{kind}.npz"
        done = subprocess.run(
            [sys.executable, str(HERE / script), kind, str(out), *names],
            capture_output=True,
            text=True,
            timeout=550,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
            | environment,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        with np.load(out) as held:
            self.arrays = {name: held[name] for name in held.files}
        self.said = json.loads(out.with_suffix(".json").read_text())

    def of(self, name):
        assert "error" not in self.said.get(name, {}), self.said[name]["error"]
        found = {
            key.removeprefix(f"{name}/"): array
            for key, array in self.arrays.items()
            if key.startswith(f"{name}/")
        }
        assert found, f"{name} gave nothing"
        return found


def assert_equal(found, expected):
    """Equal to 6 decimals; texts are equal."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        if array.dtype.kind in "US":
            assert found[name].tolist() == array.tolist(), name
        else:
            np.testing.assert_array_almost_equal(found[name], array, decimal=6, err_msg=name)
