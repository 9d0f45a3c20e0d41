"""What is computed on each device; run as ``python torch_work.py cpu|sim OUT.npz NAME ...``.

Each function of ``WORK`` gives a dict of arrays. The process writes them as ``NAME/key``, and a JSON file
with what else it says: engines that trained, copies between the devices in each epoch, and errors.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import other_work
import training_work
from common_work import WORK, recipe, regressor, rows, run, say, work

assert {training_work, other_work}, "their functions are registered when they are imported"


@work
def files():
    """Saved, loaded, trained on; and a training stopped and resumed from its checkpoint."""
    import keras

    from portable_models import files as model_files
    from portable_models import fit
    from portable_models.training import Checkpoint, Member, fit_many

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        model = regressor()
        fit_many([Member(model, rows(), recipe(epochs=1))])
        path = Path(folder) / "model.keras"
        model_files.save(model, path)
        again = model_files.load(path)
        history = fit(again, *rows(), epochs=2, engine="keras", verbose=0).history
        found |= {f"saved/{name}": np.array(each) for name, each in history.items()}
        kept = Checkpoint(Path(folder) / "kept.npz", 1)
        for epochs in (1, 3):
            training = fit_many([Member(regressor(), rows(), recipe(epochs=epochs), None, kept)])
        found |= {f"resumed/{k}": np.array(v) for k, v in training[0].history.items()}
        # Dropout without a seed draws from the framework's own generator, which the file holds.
        plain = keras.Sequential(
            [keras.Input((5,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
        plain.compile("sgd", "mse")
        plain.fit(*rows(), epochs=1, shuffle=False, verbose=0)
        model_files.save(plain, path)
        on = plain.fit(*rows(), epochs=2, shuffle=False, verbose=0).history["loss"]
        loaded = model_files.load(path)
        resumed = loaded.fit(*rows(), epochs=2, shuffle=False, verbose=0).history["loss"]
        say("files", unseeded_resumes=on == resumed, losses=[on, resumed])
        say("files", state_of_the_cpu=refused_state())
    return found


def refused_state():
    """What is said of the state of a generator of the CPU alone."""
    import torch

    from portable_models._backend import current

    try:
        current().restore_unseeded_state(bytes(torch.get_rng_state().numpy()))
    except ValueError as error:
        return str(error)
    return ""


@work
def strictness():
    import torch

    here, there = torch.ones(2, 2), torch.ones(2, 2, device="sim:0")
    rows, flat = torch.tensor([0, 1]), torch.tensor([[0, 1]])
    mixtures = {
        "sum": lambda: here + there,
        "product": lambda: there @ here,
        "index_select": lambda: torch.index_select(there, 0, rows),
        "gather": lambda: torch.gather(there, 1, flat),
        "embedding": lambda: torch.nn.functional.embedding(rows, there),
    }
    for name, mixture in mixtures.items():
        try:
            mixture()
            say("strictness", **{name: "taken"})
        except RuntimeError as error:
            say("strictness", **{name: str(error)})
    say("strictness", number=(there[0] + torch.tensor(2.0)).tolist())
    return {}


@work
def exported():
    """A model of this process, proven by children; then the arrays that the artifact holds."""
    from portable_models import export

    model = regressor()
    model.compile("adam", "mse")
    model.fit(*rows(), epochs=1, verbose=0, shuffle=False)
    with tempfile.TemporaryDirectory() as folder:
        for target, name in (("torch", "model.pt2"), ("torch-module", "module")):
            result = export(model, target, Path(folder) / name)
            say("exported", **{target: [result.status.value, result.reason]})
        import torch

        program = torch.export.load(str(Path(folder) / "model.pt2"))
        held = [*program.state_dict.values(), *program.constants.values()]
        say("exported", devices=sorted({str(t.device) for t in held if hasattr(t, "device")}))
    return {}


def main():
    device, out, *names = sys.argv[1:]
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation")
    # Inductor and torch.export use torch.jit, which PyTorch deprecates.
    warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
    if device == "sim":
        import second_torch_device

        second_torch_device.install()
    from unittest import mock

    import keras

    assert keras.backend.backend() == "torch"
    with mock.patch("portable_models._backend.torch.WORTH_FROM", 0):
        run(names or WORK, out)


if __name__ == "__main__":
    main()
