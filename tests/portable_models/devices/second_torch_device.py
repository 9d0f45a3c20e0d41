"""A second PyTorch device without hardware: ``sim:0`` computes in the host's memory, as strictly as CUDA.

PyTorch keeps one device type free for others, ``PrivateUse1``. Here it is named ``sim``. A tensor of the
device has no memory of its own: its values are an ordinary tensor, found by the tensor's storage. Every
operation comes to Python, which refuses what CUDA refuses, computes on the CPU, and wraps the results.

What is like CUDA:

- an operation on tensors of both devices raises, unless that of the CPU has no dimension, or is an index;
- copies between the devices, and values that Python reads (``item``, ``bool``), are counted: :data:`COPIES`;
- random numbers come from a generator of the device, not from that of the CPU;
- tracing with fake tensors works, and a fake tensor says that it is on the device.

What is not: speed, strides and memory formats, streams, and the rounding of a card. A view has a storage
of its own, so autograd may add a gradient in place to values that another tensor shares: the eager gradient
of a convolution over one channel in a ConvLSTM is wrong. Such a program differs from the CPU, and so is seen.

``install()`` must run before Keras is imported, with ``KERAS_TORCH_DEVICE=sim:0``, and cannot be undone.
"""

from __future__ import annotations

import functools
from collections import Counter
from contextlib import contextmanager, nullcontext

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "sim"
KEY = "PrivateUse1"

COPIES: Counter[str] = Counter()
"""``to_device``, ``to_host`` and ``value`` (a number that Python reads) -> how often."""

MIXED = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
"""Operations in which CUDA takes tensors of the CPU; they are copied, so they are counted."""
SAME_ALWAYS = {"aten::index_select", "aten::embedding", "aten::gather", "aten::searchsorted"}
"""Operations in which CUDA refuses a tensor of the CPU even if it has no dimension."""
OWN = {
    "aten::empty.memory_format",
    "aten::empty_strided",
    "aten::_copy_from",
    "aten::_local_scalar_dense",
    "aten::view",
    "aten::_reshape_alias",
    "aten::as_strided",
}
COPYING = {"resize_", "set_", "copy_", "_to_copy", "to", "_pin_memory", "is_pinned"}
"""PyTorch's own versions of these come down to ``empty`` and ``_copy_from``."""

_SWEEP = 2_000
_values: dict[int, tuple[StorageWeakRef, torch.Tensor]] = {}
_libraries: list[torch.library.Library] = []
_generator = torch.Generator()


class DeviceTensor(torch.Tensor):
    """A class of its own: of a plain tensor that Python has made, PyTorch can make no ``Parameter``."""

    __torch_function__ = torch._C._disabled_torch_function_impl


class Generator(torch.Generator):
    """``torch.Generator(device="sim:0")``; PyTorch offers Python no way to register one."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls, device="cpu")


class DeviceModule:
    """What ``torch.sim`` offers, like ``torch.cuda``."""

    def __init__(self):
        self.peak = 0

    def is_initialized(self):
        return True

    def is_available(self):
        return True

    def current_device(self):
        return 0

    def device_count(self):
        return 1

    def _is_in_bad_fork(self):
        return False

    def manual_seed_all(self, seed):
        _generator.manual_seed(seed)

    def get_rng_state(self, device="sim"):
        return _generator.get_state()

    def set_rng_state(self, state, device="sim"):
        _generator.set_state(state)


def is_on_device(value):
    """Whether something is a tensor of the device."""
    return isinstance(value, torch.Tensor) and value.device.type == NAME


def _wrap(values):
    """A tensor of the device that holds these values."""
    made = torch._C._acc.create_empty_tensor(list(values.shape), values.dtype)
    # While it traces, PyTorch knows plain tensors only, and makes no parameters.
    if not torch._C._len_torch_dispatch_stack():
        made.__class__ = DeviceTensor
    storage = made.untyped_storage()
    _values[storage._cdata] = StorageWeakRef(storage), values
    if len(_values) % _SWEEP == 0:
        for key in [key for key, (storage, _) in _values.items() if storage.expired()]:
            del _values[key]
    return made


def _held(tensor):
    """The values of a tensor of the device."""
    return _values[tensor.untyped_storage()._cdata][1]


def _refuse_mixture(name, tensors):
    strict = name in SAME_ALWAYS
    foreign = [each for each in tensors if not is_on_device(each) and (each.dim() > 0 or strict)]
    if not foreign:
        return
    if name in MIXED:
        COPIES["to_device"] += len(foreign)
        return
    shapes = [tuple(each.shape) for each in foreign]
    raise RuntimeError(
        f"Expected all tensors to be on the same device, but {name} got tensors of shapes {shapes} on "
        f"{foreign[0].device} beside some on {NAME}:0"
    )


@contextmanager
def _drawing():
    """Inside, what has no generator draws from the device's."""
    ordinary = torch.get_rng_state()
    torch.set_rng_state(_generator.get_state())
    try:
        yield
    finally:
        _generator.set_state(torch.get_rng_state())
        torch.set_rng_state(ordinary)


def _compute(operation, *args, **kwargs):
    """Any operation: on the values of its tensors."""
    schema = operation._schema
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
    _refuse_mixture(schema.name, tensors)

    def unpack(value):
        return _held(value) if is_on_device(value) else value

    inner = tree_map(unpack, args)
    named = {name: tree_map(unpack, value) for name, value in kwargs.items()}
    if "device" in named:
        named["device"] = torch.device("cpu")
    if "pin_memory" in named:
        named["pin_memory"] = None
    written = {}
    for place, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[place] if place < len(args) else kwargs.get(argument.name)
            for each in given if isinstance(given, (list, tuple)) else [given]:
                if is_on_device(each):
                    written[id(_held(each))] = each
    with _drawing() if torch.Tag.nondeterministic_seeded in operation.tags else nullcontext():
        found = operation(*inner, **named)
    return tree_map(
        lambda each: (
            (written[id(each)] if id(each) in written else _wrap(each))
            if isinstance(each, torch.Tensor)
            else each
        ),
        found,
    )


def _empty(size, dtype=None, layout=None, device=None, pin_memory=None, memory_format=None):
    return _wrap(torch.empty(size, dtype=dtype))


def _empty_strided(size, stride, dtype=None, layout=None, device=None, pin_memory=None):
    return _wrap(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source, target, non_blocking=False):
    if is_on_device(source) != is_on_device(target):
        COPIES["to_device" if is_on_device(target) else "to_host"] += 1
    to, by = (_held(each) if is_on_device(each) else each for each in (target, source))
    to.copy_(by)
    return target


def _value(tensor):
    COPIES["value"] += 1
    return _held(tensor).item()


def _view(tensor, size):
    values = _held(tensor)
    return _wrap(values.view(size) if values.is_contiguous() else values.reshape(size))


def _reshape_alias(tensor, size, stride):
    return _wrap(_held(tensor).reshape(size))


def _as_strided(tensor, size, stride, offset=None):
    return _wrap(_held(tensor).contiguous().as_strided(size, stride, offset))


def _is_taken(full):
    """Whether PyTorch has a version of its own, made of other operations, that would touch memory."""
    if not full.startswith("aten::") or full in OWN or full[6:].partition(".")[0] in COPYING:
        return False
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    return not has(full, "CompositeImplicitAutograd") and has(full, "CompositeExplicitAutograd")


def _operation(full):
    name, _, overload = full[6:].partition(".")
    try:
        found = getattr(getattr(torch.ops.aten, name), overload or "default")
    except AttributeError:
        return None
    schema = found._schema
    gives = all(str(each.type) in ("Tensor", "List[Tensor]") for each in schema.returns)
    takes = any("Tensor" in str(each.type) or each.name == "device" for each in schema.arguments)
    return found if gives and takes else None


def install():
    """Register the device."""
    _setup_privateuseone_for_python_backend(NAME, backend_module=DeviceModule())
    every = torch.library.Library("_", "IMPL")
    every.fallback(_compute, KEY)
    aten = torch.library.Library("aten", "IMPL")
    own = {
        "empty.memory_format": _empty,
        "empty_strided": _empty_strided,
        "_copy_from": _copy_from,
        "_local_scalar_dense": _value,
        "view": _view,
        "_reshape_alias": _reshape_alias,
        "as_strided": _as_strided,
    }
    for name, function in own.items():
        aten.impl(name, function, KEY)
    for full in filter(_is_taken, torch._C._dispatch_get_all_op_names()):
        if (operation := _operation(full)) is not None:
            aten.impl(full[6:], functools.partial(_compute, operation), KEY)
    _libraries.extend((every, aten))
    torch.Generator = Generator
    _let_fake_tensors_through()


def _let_fake_tensors_through():
    """A fake tensor of the device goes to PyTorch's tracer, not to the operations above."""
    made = FakeTensor.__new__
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.PrivateUse1)

    def new(cls, *args, **kwargs):
        with torch._C._ExcludeDispatchKeyGuard(keys):
            return made(cls, *args, **kwargs)

    FakeTensor.__new__ = staticmethod(new)
