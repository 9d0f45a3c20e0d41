"""Functions of the user's that may change more than variables: found by reading their bytecode.

A compiled program runs Python code once, before the first epoch. ``Model.fit`` runs some of it, such as the
function of a learning rate or a metric's ``reset_state``, at every epoch.
"""

from __future__ import annotations

import builtins
import dis
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import keras
import numpy as np

_CHANGES = {
    "STORE_ATTR": "assigns an attribute",
    "DELETE_ATTR": "deletes an attribute",
    "STORE_SUBSCR": "assigns an item",
    "DELETE_SUBSCR": "deletes an item",
    "STORE_GLOBAL": "assigns a global",
    "STORE_DEREF": "assigns a variable of another function",
}
_MODULES = ("math", "numpy", "keras", "tensorflow", "jax", "torch", "portable_models")
_LOADS_METHOD = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR")
_SETTERS = (setattr, delattr, exec, eval, globals, vars)
_PLAIN = (
    int,
    float,
    complex,
    bool,
    str,
    bytes,
    type(None),
    tuple,
    list,
    dict,
    set,
    frozenset,
    range,
)
_DEPTH = 3
"""How many functions deep calls are followed."""


def is_own_method_of_keras(part: Any, name: str) -> bool:
    """Whether a method of a model or metric is Keras's or this library's, not overridden by the user."""
    method = getattr(type(part), name, None)
    home = (getattr(method, "__module__", None) or "").partition(".")[0]
    return name not in vars(part) and home in ("keras", "portable_models")


def changes_something(function: Any, owner: type | None = None, depth: int = _DEPTH) -> str:
    """How a function may change something that is no variable; empty where it only computes.

    Args:
        function: a function of the user's. Functions and methods of the user's that it calls are followed.
        owner: the class that it is a method of.
        depth: how many functions deep.

    Returns:
        Words such as ``"assigns an attribute"``. What cannot be read is taken for a change.
    """
    if isinstance(function, MethodType):
        function, owner = function.__func__, type(function.__self__)
    if is_known(function):
        return ""
    if not isinstance(function, FunctionType):
        return f"is a {type(function).__name__}"
    if depth == 0:
        return "calls many functions"
    own_cells = function.__code__.co_cellvars
    for instruction in _instructions(function.__code__):
        name, operation = instruction.argval, instruction.opname
        if operation in _CHANGES and not (operation == "STORE_DEREF" and name in own_cells):
            return _CHANGES[operation]
        if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = function.__globals__.get(name, getattr(builtins, name, None))
            if why := _why_not_known(value, depth):
                return f"uses {name}{why}"
        method = _method(owner, name, function) if operation in _LOADS_METHOD else None
        if method is not None and (why := changes_something(method, owner, depth - 1)):
            return f"calls {name}(), which {why}"
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        held = [] if name == "__class__" else cell_contents(cell)
        for value in held:
            if why := _why_not_known(value, depth):
                return f"uses {name}{why}"
    return ""


def _method(owner: type | None, name: str, caller: FunctionType) -> Any:
    """The method of the user's that a name stands for; in a method of that name, the inherited one."""
    found = [vars(kind)[name] for kind in getattr(owner, "__mro__", ()) if name in vars(kind)]
    if caller in found:
        found = found[found.index(caller) + 1 :]
    return found[0] if found and isinstance(found[0], FunctionType) else None


def cell_contents(cell: CellType) -> list[Any]:
    """What a cell of a closure holds; nothing where its name has no value yet."""
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _why_not_known(value: Any, depth: int) -> str:
    if is_known(value):
        return ""
    if isinstance(value, FunctionType):
        why = changes_something(value, None, depth - 1)
        return f", which {why}" if why else ""
    return ", which may change anything"


def is_known(value: Any) -> bool:
    """Whether a value is a number, a container, or code of Python, NumPy, Keras or a framework.

    An object is not, but for a learning rate schedule of Keras: a model that is at hand may be changed.
    """
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] in _MODULES
    if isinstance(value, (*_PLAIN, np.ndarray)):
        return True
    if any(value is each for each in _SETTERS):
        return False
    is_code = isinstance(value, (FunctionType, BuiltinFunctionType, type, np.ufunc))
    is_schedule = isinstance(value, keras.optimizers.schedules.LearningRateSchedule)
    home = value if is_code else type(value)
    module = getattr(home, "__module__", None) or "builtins"
    return (is_code or is_schedule) and module.partition(".")[0] in (*_MODULES, "builtins")


def _instructions(code: CodeType) -> list[dis.Instruction]:
    """Those of a function and of the functions that are written inside it."""
    found = list(dis.get_instructions(code))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _instructions(constant)
    return found
