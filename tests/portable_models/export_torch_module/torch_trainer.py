"""Run by path where keras is blocked: plain PyTorch training of exported folders.

Arguments: ISOLATED.py, then FOLDER SETTINGS.json DATA.npz ANSWER.npz any number of times.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch


def train(folder, settings, data, answer, isolated):
    net = isolated.load_folder(folder).load().train()
    options = dict(settings["optimizer"])
    weights = [p for p in net.parameters() if p.requires_grad]
    optimizer = getattr(torch.optim, options.pop("name"))(weights, **options)
    keras_epsilon = settings.get("keras_epsilon")
    inputs = [torch.from_numpy(data[f"x{i}"]) for i in range(settings["inputs"])]
    targets = torch.from_numpy(data["y"])
    losses = []
    for step in range(settings["steps"]):
        batch = slice(step * settings["batch"], (step + 1) * settings["batch"])
        if keras_epsilon is not None:
            # Keras adds its epsilon before the bias correction of the second moment, PyTorch after.
            correction = 1 - options["betas"][1] ** (step + 1)
            optimizer.param_groups[0]["eps"] = keras_epsilon / correction**0.5
        optimizer.zero_grad()
        output = net(*[value[batch] for value in inputs])
        loss = (output - targets[batch]).square().mean() + net.regularization_loss()
        loss.backward()
        optimizer.step()
        if hasattr(net, "apply_constraints"):
            net.apply_constraints()
        losses.append(loss.item())
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    np.savez(answer, losses=np.array(losses), **state)


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("isolated", sys.argv[1])
    isolated = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(isolated)
    sys.meta_path.insert(0, isolated.Blocker())
    for start in range(2, len(sys.argv), 4):
        folder, settings, data, answer = map(Path, sys.argv[start : start + 4])
        train(folder, json.loads(settings.read_text()), dict(np.load(data)), answer, isolated)
