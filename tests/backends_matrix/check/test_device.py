"""``--device``: where members and judges compute; nothing here needs a card."""

import pytest

from backends_matrix import errors
from backends_matrix.check import CheckSettings, check
from backends_matrix.check import pool as pools

MODEL = """
import keras

def build_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return str(path)


def test_a_card_that_is_missing_is_one_line_and_exit_3(portable, model, backends):
    done = portable("check", model, "--backends", backends[0], "--device", "gpu")
    assert done.code == 3
    assert done.errors.count("\n") == 1
    assert f"no gpu device for the {backends[0]} backend on this machine" in done.errors


def test_from_python_it_is_a_run_error(model, backends):
    with pytest.raises(errors.RunError, match="no gpu device"):
        check(model, backends=backends[:1], device="gpu")


@pytest.fixture
def started(monkeypatch):
    """The servers that were started, by backend and the device that was asked for; all compute on the CPU."""
    asked = []

    class OnTheCpu(pools.ForkServer):
        def __init__(self, backend, folder, threads, device):
            asked.append((backend, device))
            super().__init__(backend, folder, threads, "cpu")
            self.accelerator = {"card": {"name": device}}

    monkeypatch.setattr(pools, "ForkServer", OnTheCpu)
    return asked


def test_members_compute_on_the_device_and_the_judge_on_the_cpu(started, model, backends):
    report = check(model, backends=backends, device="gpu")
    assert report.verdict == "portable"
    on_the_card = {backend for backend, device in started if device == "gpu"}
    on_the_cpu = [backend for backend, device in started if device == "cpu"]
    assert set(backends) <= on_the_card
    assert len(on_the_cpu) == 1
    assert report.environment["device"] == "gpu"
    assert report.environment["accelerators"][backends[0]]["card"] == {"name": "gpu"}


def test_one_process_at_a_time_on_a_card(monkeypatch):
    monkeypatch.setattr(pools, "cores", lambda: 7)

    def turns(**options):
        with pools.Pool(CheckSettings(**options)) as pool:
            return pool._turn._value

    assert turns(device="gpu") == 1
    assert turns(device="gpu", jobs=3) == 3
    assert turns() == 7


def test_a_server_goes_on_after_a_child_has_looked_for_the_device(tmp_path, backends):
    server = pools.ForkServer(backends[0], tmp_path, 1)
    try:
        server.wait_until_ready()
        for _ in range(2):
            assert "no gpu device" in server.ask(command="describe", device="gpu")["reason"]
        found = server.ask(command="describe", device="cpu")
        # A CPU is no card, and nothing is set there to make its numbers repeat.
        assert set(found["accelerator"]) == {"precision"}
    finally:
        server.close()


def test_a_backend_that_is_left_out_is_told(portable, model, backends):
    done = portable("check", model, "--backends", backends[0])
    assert done.code == 0
    assert f"note: checked on {backends[0]} alone" in done.output
