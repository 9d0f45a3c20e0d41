"""PyTorch on a second device, simulated: the same numbers as on the CPU, and little that is copied."""

import importlib.util

import pytest

from .computed import Computed, assert_equal

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
    ),
]

COMPILED = (
    "numbers",
    "numbers_traced",
    "words",
    "words_traced",
    "side_by_side",
    "own_call",
    "networks/convolution",
    "networks/recurrent",
    "networks/attention",
)
IN_A_LOOP = ("numbers_in_a_loop", "words_in_a_loop")
"""Work that is a loop in C++ on a CPU; there, the same trainings run as ``..._alone``, step by step."""
BOTH = (
    *("numbers", "numbers_traced", "numbers_on_keras", "numbers_alone"),
    *("words", "words_traced", "words_on_keras", "words_alone"),
    *("side_by_side", "folds", "own_call", "networks", "drawn", "measured", "step", "files"),
)


def computed(kind, device, folder, names):
    environment = {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": device}
    return Computed("torch_work.py", kind, folder, names, environment)


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory):
    return computed("cpu", "cpu", tmp_path_factory.mktemp("cpu"), BOTH)


@pytest.fixture(scope="module")
def on_device(tmp_path_factory):
    names = (*BOTH, *IN_A_LOOP, "strictness", "exported")
    return computed("sim", "sim:0", tmp_path_factory.mktemp("sim"), names)


@pytest.mark.parametrize("name", BOTH)
def test_the_device_computes_what_the_cpu_does(name, on_cpu, on_device):
    assert_equal(on_device.of(name), on_cpu.of(name))


@pytest.mark.parametrize("name", IN_A_LOOP)
def test_a_loop_of_the_cpu_is_steps_elsewhere(name, on_cpu, on_device):
    assert_equal(on_device.of(name), on_cpu.of(name.replace("in_a_loop", "alone")))


@pytest.mark.parametrize("name", [*COMPILED, *IN_A_LOOP])
def test_nothing_falls_back(name, on_device):
    said = on_device.said[name]
    assert (said["engine"], said.get("reason", "")) == ("compiled", "")


@pytest.mark.parametrize("name", ["numbers", "words", "numbers_in_a_loop", "networks/attention"])
def test_an_epoch_copies_its_order_and_reads_its_metrics(name, on_device):
    """One copy to the device in each epoch, none back, and one number for each log."""
    copies, logs = on_device.said[name]["copies"], on_device.said[name]["logs"]
    # Several epochs may run before they are reported; what the first report holds is not known.
    assert len(copies) == on_device.said[name]["epochs"] - 1
    total = {kind: sum(each[kind] for each in copies) for kind in ("to_device", "to_host", "value")}
    assert total["to_host"] == 0
    assert 0 < total["to_device"] <= len(copies)
    assert 0 < total["value"] <= len(copies) * logs


def test_an_epoch_of_model_fit_copies_at_every_step(on_device):
    """What the bound above is worth: Keras's own loop copies a batch, and more, at every step."""
    assert all(each["to_device"] > 20 for each in on_device.said["numbers_on_keras"]["copies"])


def test_dropout_without_a_seed_resumes_from_a_file(on_device):
    said = on_device.said["files"]
    assert said["unseeded_resumes"], said["losses"]


def test_a_file_of_the_cpu_says_that_its_generator_is_another(on_device):
    assert "another kind of device" in on_device.said["files"]["state_of_the_cpu"]


@pytest.mark.parametrize("target", ["torch", "torch-module"])
def test_a_model_on_the_device_is_exported_and_proven_on_the_cpu(target, on_device):
    assert on_device.said["exported"][target] == ["verified", ""]


def test_exported_files_hold_tensors_of_the_cpu(on_device):
    assert on_device.said["exported"]["devices"] == ["cpu"]


@pytest.mark.parametrize("mixture", ["sum", "product", "index_select", "gather", "embedding"])
def test_the_device_refuses_tensors_of_another(mixture, on_device):
    assert "same device" in on_device.said["strictness"][mixture]


def test_the_device_takes_numbers_of_the_cpu(on_device):
    assert on_device.said["strictness"]["number"] == [3.0, 3.0]
