"""What the backend of this process says of devices, and what it sets where it computes on a GPU."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from portable_models._backend import DeviceNotFoundError, current
from portable_models.data import ArraySamples, MultiHotSamples

BACKEND = keras.backend.backend()
on = {
    name: pytest.mark.skipif(name != BACKEND, reason=f"of {name}")
    for name in ("jax", "tensorflow", "torch")
}


def test_the_tests_compute_on_the_cpu():
    backend = current()
    assert backend.device_counts()["cpu"] >= 1
    assert (backend.device_kind(), backend.computes_on_cpu()) == ("cpu", True)
    backend.require_device("cpu")


def test_nothing_of_a_card_is_said_or_set_on_a_cpu():
    backend = current()
    backend.reset_device_peak()
    assert backend.describe_card() == {}
    assert backend.require_determinism() == {}
    assert backend.device_peak_bytes() is None


@pytest.mark.parametrize("kind", ["gpu", "tpu"])
def test_a_device_that_is_missing_is_named(kind, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setenv("KERAS_TORCH_DEVICE", "cpu")
    with pytest.raises(
        DeviceNotFoundError, match=f"no {kind} device .* run with --device cpu"
    ) as told:
        current().require_device(kind)
    variable = {"jax": "JAX_PLATFORMS=cpu", "torch": "KERAS_TORCH_DEVICE=cpu"}.get(BACKEND, "")
    assert variable in str(told.value)


def test_another_device_than_asked_for_is_never_computed_on_in_silence(monkeypatch):
    """On PyTorch, for instance, Keras takes MPS where it finds it."""
    backend = current()
    monkeypatch.setattr(type(backend), "device_kind", lambda self: "mps")
    with pytest.raises(DeviceNotFoundError, match=r"cpu was asked for, but .* computes on mps"):
        backend.require_device("cpu")


@on["jax"]
def test_a_jax_without_its_cpu_says_why(monkeypatch):
    import jax

    card = SimpleNamespace(platform="gpu")

    def devices(kind=None):
        if kind == "cpu":
            raise RuntimeError("Unknown backend cpu")
        return [card]

    monkeypatch.setattr(jax, "devices", devices)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    current().require_device("gpu")
    with pytest.raises(
        DeviceNotFoundError,
        match=r"no cpu device .*sees: 1 gpu\); JAX_PLATFORMS=cuda hides all others",
    ) as told:
        current().require_device("cpu")
    assert "--device cpu" not in str(told.value)


@on["jax"]
@pytest.mark.parametrize(
    ("flags", "expected"),
    [("--xla_gpu_deterministic_ops=true", "True"), ("--xla_gpu_deterministic_ops=false", "False")],
)
def test_jax_records_what_its_flags_say(monkeypatch, flags, expected):
    import jax

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setenv("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=false {flags}")
    assert current().require_determinism() == {"xla_gpu_deterministic_ops": expected}


@on["jax"]
@pytest.mark.parametrize("kind", ["gpu", "tpu"])
def test_jax_describes_its_card(monkeypatch, kind):
    import jax

    client = SimpleNamespace(platform_version="PJRT 0.112 cuda 13000")
    device = SimpleNamespace(
        platform=kind,
        device_kind="NVIDIA H100 80GB HBM3",
        client=client,
        memory_stats=lambda: {"peak_bytes_in_use": 7},
    )
    monkeypatch.setattr(jax, "devices", lambda kind=None: [device])
    monkeypatch.setattr(jax, "default_backend", lambda: kind)
    backend = current()
    assert backend.describe_card() == {
        "name": "NVIDIA H100 80GB HBM3",
        "platform": "PJRT 0.112 cuda 13000",
    }
    assert backend.device_peak_bytes() == 7
    device.memory_stats = lambda: None
    assert backend.device_peak_bytes() is None


@on["tensorflow"]
def test_tensorflow_describes_its_card(monkeypatch):
    import tensorflow as tf

    card = SimpleNamespace(name="/physical_device:GPU:0")
    seen = {"GPU": [card], "CPU": [card], "TPU": []}
    experimental = tf.config.experimental
    monkeypatch.setattr(tf.config, "get_visible_devices", seen.get)
    monkeypatch.setattr(
        experimental, "get_device_details", lambda device: {"device_name": "NVIDIA H100"}
    )
    monkeypatch.setattr(experimental, "get_memory_info", lambda name: {"peak": 9, "current": 1})
    monkeypatch.setattr(
        tf.sysconfig,
        "get_build_info",
        lambda: {"cuda_version": "13.0", "cudnn_version": "9"},
    )
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    backend = current()
    backend.require_device("gpu")
    assert backend.describe_card() == {"name": "NVIDIA H100", "cuda": "13.0", "cudnn": "9"}
    assert backend.device_peak_bytes() == 9
    assert backend.require_determinism() == {"TF_DETERMINISTIC_OPS": "1"}


@on["tensorflow"]
def test_tensorflow_multiplies_no_sparse_matrix_on_a_gpu(monkeypatch):
    """With deterministic operations, that product raises there when it runs."""
    import tensorflow as tf

    backend = current()
    kernel = tf.Variable(np.arange(12, dtype="float32").reshape(6, 2))
    ids, owners = np.array([[0, 5], [2, 6]], "int32"), np.array([0, 1], "int32")
    words = tf.constant(backend.with_sums(backend.packed(ids), owners))
    used = []
    product = tf.raw_ops.SparseTensorDenseMatMul
    monkeypatch.setattr(
        tf.raw_ops,
        "SparseTensorDenseMatMul",
        lambda **given: used.append(1) or product(**given),
    )
    found = []
    for on_cpu in (True, False):
        monkeypatch.setattr(type(backend), "computes_on_cpu", lambda self, on_cpu=on_cpu: on_cpu)
        with tf.GradientTape() as tape:
            sums = backend.rows_summed(kernel, words, 2)
        gradient = tf.convert_to_tensor(tape.gradient(sums, kernel))
        found.append((sums.numpy(), gradient.numpy()))
    assert used == [1]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@on["tensorflow"]
def test_programs_of_tensorflow_go_through_xla_off_the_cpu(monkeypatch):
    from portable_models._backend import tensorflow_program
    from portable_models._backend.program import Pass

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    way = Pass(lambda *_: None, 8, 4, 4)
    found = []
    for kind in ("cpu", "gpu"):
        monkeypatch.setattr(tensorflow_program, "computing_kind", lambda kind=kind: kind)
        found.append(tensorflow_program.TensorFlowProgram(model, way, None, 1)._xla)
    assert found == [False, True]


@pytest.fixture
def cuda(monkeypatch):
    """PyTorch says that it computes on CUDA; what is set for that is put back."""
    import torch

    from portable_models._backend import torch_devices

    monkeypatch.setattr(torch_devices, "computing_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 11)
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    yield torch
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before


@on["torch"]
def test_torch_describes_its_card(cuda):
    backend = current()
    backend.require_device("gpu")
    assert backend.describe_card() == {"name": "NVIDIA H100", "cuda": "13.0", "cudnn": "91002"}
    assert backend.device_peak_bytes() == 11


@on["torch"]
def test_torch_is_made_deterministic_on_a_gpu(cuda, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    assert current().require_determinism() == {
        "use_deterministic_algorithms": "True (warns where there is none)",
        "cudnn_deterministic": "True",
        "cudnn_benchmark": "False",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    assert cuda.are_deterministic_algorithms_enabled()
    assert cuda.is_deterministic_algorithms_warn_only_enabled()


@on["torch"]
def test_torch_keeps_sums_of_products_in_full_precision():
    import torch

    current().require_full_precision()
    matmul = torch.backends.cuda.matmul
    assert not matmul.allow_fp16_reduced_precision_reduction
    assert not matmul.allow_bf16_reduced_precision_reduction
    assert not torch.backends.cudnn.allow_tf32


@on["torch"]
def test_short_trainings_are_compiled_off_the_cpu(cuda):
    """From how many steps a program pays was measured on CPUs."""
    assert current().not_worth_compiling(None, 1) == ""


@on["jax"]
def test_products_are_of_the_highest_precision():
    """On a TPU, that is six products of bfloat16 instead of one."""
    import jax

    assert current().require_full_precision() == {"jax_default_matmul_precision": "highest"}
    assert jax.config.jax_default_matmul_precision == "highest"


@pytest.mark.parametrize("kind", ["numbers", "words"])
def test_orders_are_int32_and_nothing_on_the_device_is_float64(kind):
    from portable_models.training.programs.kernel_sum import Bags, bag_rows
    from portable_models.training.programs.rows import rows_of

    y = np.arange(6, dtype="float64")
    rows = np.arange(6)
    if kind == "numbers":
        found = rows_of(
            ArraySamples(np.ones((6, 2)), y, np.ones(6)),
            dict.fromkeys(range(6), 2.0),
        )
    else:
        bags = MultiHotSamples(np.arange(6, dtype="int32"), np.arange(7), 9, y)
        found = bag_rows(bags, None, [rows[:4], rows[4:]], Bags(keras.layers.Dense(1)))
    assert found.order(rows, 4).dtype == np.int32
    for tensor in keras.tree.flatten(current().to_device(found.arrays)):
        assert keras.backend.standardize_dtype(tensor.dtype) not in ("float64", "int64") or (
            # TensorFlow's words are pairs of int32 in one int64, which it takes apart again.
            BACKEND == "tensorflow" and "int" in str(tensor.dtype)
        )
