"""Which worker computes where, with which variables, and what a worker says of a card."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from backends_matrix.run import cards, step_runs, supervisor
from backends_matrix.run.cards import Gates, Placement, place, visible_cards
from backends_matrix.run.environment import worker_environment
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor

BACKENDS = ("jax", "tensorflow", "torch")


def environment(device, backend="jax", **more):
    base = more.pop("base", {"PATH": "/bin"})
    return worker_environment(backend, device=device, threads=1, base=base, **more)


@pytest.mark.parametrize("backend", BACKENDS)
def test_cpu_is_the_cpu_on_every_backend(backend):
    """A user's own KERAS_TORCH_DEVICE, and the MPS or XPU that Keras would pick, count for nothing."""
    base = {"KERAS_TORCH_DEVICE": "mps", "JAX_PLATFORMS": "cuda", "CUDA_VISIBLE_DEVICES": "0,1"}
    found = environment("cpu", backend, base=base)
    assert (found["KERAS_TORCH_DEVICE"], found["JAX_PLATFORMS"]) == ("cpu", "cpu")
    assert found["CUDA_VISIBLE_DEVICES"] == found["HIP_VISIBLE_DEVICES"] == ""


def test_workers_on_a_gpu_take_memory_as_they_need_it():
    found = environment("gpu")
    assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    kept = environment("gpu", base={"XLA_PYTHON_CLIENT_PREALLOCATE": "true"})
    assert kept["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"


def test_workers_on_a_gpu_repeat_their_bits():
    found = environment("gpu")
    assert "--xla_gpu_deterministic_ops=true" in found["XLA_FLAGS"].split()
    assert found["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert found["TF_DETERMINISTIC_OPS"] == "1"
    chosen = environment("gpu", base={"XLA_FLAGS": "--xla_gpu_deterministic_ops=false"})
    assert "--xla_gpu_deterministic_ops=true" not in chosen["XLA_FLAGS"]


@pytest.mark.parametrize("device", ["cpu", "tpu"])
def test_what_is_a_gpus_own_is_not_set_elsewhere(device):
    found = environment(device)
    names = (
        "XLA_PYTHON_CLIENT_PREALLOCATE",
        "TF_FORCE_GPU_ALLOW_GROWTH",
        "CUBLAS_WORKSPACE_CONFIG",
    )
    assert not set(names) & set(found)
    assert "xla_gpu" not in found.get("XLA_FLAGS", "")


def test_jax_keeps_its_cpu_beside_a_gpu():
    """Keras prepares weights of samples there; JAX_PLATFORMS=cuda alone would make that fail."""
    assert environment("gpu", base={"JAX_PLATFORMS": "cuda"})["JAX_PLATFORMS"] == "cuda,cpu"
    assert environment("gpu", base={"JAX_PLATFORMS": "cpu,cuda"})["JAX_PLATFORMS"] == "cpu,cuda"
    assert "JAX_PLATFORMS" not in environment("gpu")


def test_a_worker_sees_its_own_card_only():
    assert environment("gpu", card="3")["CUDA_VISIBLE_DEVICES"] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in environment("gpu")


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("0", ["0"]),
        ("2, GPU-5f", ["2", "GPU-5f"]),
        ("", []),
        ("-1", []),
        ("1,-1,0", ["1"]),
        (None, ["0", "1"]),
    ],
)
def test_cards_are_those_that_the_process_may_use(variable, expected):
    given = {} if variable is None else {"CUDA_VISIBLE_DEVICES": variable}
    assert visible_cards(given, lambda: ["0, 580.65.06", "1, 580.65.06"]) == expected


def test_without_nvidia_smi_no_card_is_known(monkeypatch):
    monkeypatch.setattr(cards, "_QUERY", ("no-such-program-nvidia-smi",))
    assert visible_cards({}) == []


def test_the_driver_is_read_from_the_kernel(monkeypatch, tmp_path):
    file = tmp_path / "version"
    monkeypatch.setattr(cards, "_DRIVER", file)
    assert cards.driver_version() is None
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27\nGCC\n")
    assert cards.driver_version() == "580.65.06"


def test_backends_are_spread_over_the_cards_that_are_there():
    assert place(BACKENDS, "gpu", None, ["0", "1"]) == Placement(
        {"jax": "0", "tensorflow": "1", "torch": "0"}, exclusive=True
    )
    assert place(BACKENDS, "gpu", None, []) == Placement({}, exclusive=True)
    assert place(BACKENDS, "tpu", None, ["0"]) == Placement({}, exclusive=True)
    assert place(BACKENDS, "cpu", None, ["0"]) == Placement()
    assert not place(BACKENDS, "gpu", 3, ["0"]).exclusive


@pytest.mark.parametrize(
    ("device", "jobs", "found", "expected"),
    [
        ("gpu", None, ["0"], 1),
        ("gpu", None, [], 1),
        ("gpu", None, ["0", "1"], 2),
        ("gpu", None, ["0", "1", "2", "3"], 3),
        ("gpu", 2, ["0"], 2),
        ("tpu", None, ["0", "1"], 1),
        ("tpu", 3, [], 3),
    ],
)
def test_one_worker_at_a_time_computes_on_a_card(monkeypatch, device, jobs, found, expected):
    monkeypatch.setattr("backends_matrix.run.settings.visible_cards", lambda: found)
    settings = MatrixSettings(out=Path("unused"), backends=BACKENDS, device=device, jobs=jobs)
    assert settings.parallel_workers == expected


def most_at_once(jobs, placement):
    """How many workers computed at a time, in all and on one card, where each gives way to the others."""
    gates, now, most = Gates(jobs, placement), [], {"all": 0, "card": 0}

    async def compute(backend):
        async with gates.turn(backend):
            now.append(placement.cards.get(backend, ""))
            most["all"] = max(most["all"], len(now))
            most["card"] = max(most["card"], max(now.count(card) for card in now))
            for _ in range(5):
                await asyncio.sleep(0)
            now.remove(placement.cards.get(backend, ""))

    async def everyone():
        await asyncio.gather(*(compute(backend) for backend in BACKENDS * 2))

    asyncio.run(everyone())
    return most["all"], most["card"]


def test_gates_hold_back_who_shares_a_card():
    two = {"jax": "0", "tensorflow": "1", "torch": "0"}
    assert most_at_once(2, Placement(two, exclusive=True)) == (2, 1)
    assert most_at_once(3, Placement({}, exclusive=True)) == (1, 1)
    assert most_at_once(3, Placement(dict.fromkeys(BACKENDS, "0"))) == (3, 3)


@pytest.fixture
def started(monkeypatch):
    """What workers are started with; none is."""
    found = []

    class Started:
        def __init__(self):
            self.environment = {}

        @classmethod
        async def start(cls, arguments, environment, log):
            found.append((arguments[arguments.index("--device") + 1], environment))
            return cls()

    monkeypatch.setattr(supervisor, "WorkerProcess", Started)
    monkeypatch.setattr(supervisor, "installed", lambda backend: True)
    return found


@pytest.mark.parametrize("device", ["gpu", "tpu"])
def test_the_judge_in_float64_computes_on_the_cpu(started, tmp_path, device):
    settings = WorkerSettings(tmp_path, device=device, placement=Placement({"jax": "0"}))
    for double in (False, True):
        asyncio.run(WorkerSupervisor("jax", settings, double=double).worker())
    (asked, ordinary), (judged, judge) = started
    assert (asked, judged) == (device, "cpu")
    assert (judge["JAX_PLATFORMS"], judge["CUDA_VISIBLE_DEVICES"]) == ("cpu", "")
    assert "JAX_PLATFORMS" not in ordinary
    if device == "gpu":
        assert ordinary["CUDA_VISIBLE_DEVICES"] == "0"


def test_the_record_names_the_card_its_driver_and_what_is_deterministic(monkeypatch):
    monkeypatch.setattr(cards, "driver_version", lambda: "580.65.06")
    backend = SimpleNamespace(
        describe_card=lambda: {"name": "NVIDIA H100", "cuda": "13.0", "cudnn": "91002"},
        require_determinism=lambda: {"cudnn_benchmark": "False"},
    )
    assert cards.describe_accelerator(backend) == {
        "card": {
            "name": "NVIDIA H100",
            "cuda": "13.0",
            "cudnn": "91002",
            "driver": "580.65.06",
        },
        "determinism": {"cudnn_benchmark": "False"},
    }
    backend.describe_card = dict
    assert cards.describe_accelerator(backend) == {}


class Fake:
    """A supervisor that notes what its worker is asked, and when it ends."""

    def __init__(self, name, log):
        self.name, self.log, self.open = name, log, False

    async def worker(self):
        self.open = True
        return self

    async def answer(self, command, silence):
        on_card = [each.name for each in self.others if each.open and each.name != "judge"]
        self.log.append((self.name, command["do"], on_card))
        await asyncio.sleep(0)

    async def close(self):
        self.open = False


@pytest.mark.parametrize("exclusive", [True, False])
def test_single_steps_are_computed_by_one_worker_at_a_time_on_a_card(tmp_path, exclusive):
    """The judge, on the CPU, waits for nobody."""
    log = []
    fakes = {name: Fake(name, log) for name in ("jax", "torch")}
    judge = Fake("judge", log)
    for each in (*fakes.values(), judge):
        each.others = list(fakes.values())
    cell = SimpleNamespace(backend="jax", to_json=dict)
    gates = Gates(2, Placement(dict.fromkeys(fakes, "0"), exclusive))
    asyncio.run(step_runs._steps_of(cell, fakes, judge, tmp_path, 1.0, gates))
    assert [(name, done) for name, done, _ in log if name != "judge"] == [
        ("jax", "record"),
        ("jax", "replay"),
        ("torch", "replay"),
    ]
    assert ("judge", "replay") in [(name, done) for name, done, _ in log]
    most = max(len(on_card) for _, _, on_card in log)
    assert most == (1 if exclusive else 2)
