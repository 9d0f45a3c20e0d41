"""Functions of the user's that may change more than variables: found by reading their bytecode.

A compiled program runs Python code once, before the first epoch. ``Model.fit`` runs some of it, such as the
function of a learning rate or a metric's ``reset_state``, at every epoch.
"""

from __future__ import annotations

import builtins
import dis
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_CHANGES = {
    "STORE_ATTR": "assigns an attribute",
    "DELETE_ATTR": "deletes an attribute",
    "STORE_SUBSCR": "assigns an item",
    "DELETE_SUBSCR": "deletes an item",
    "STORE_GLOBAL": "assigns a global",
    "STORE_DEREF": "assigns a variable of another function",
}
_MODULES = ("math", "numpy", "keras", "tensorflow", "jax", "torch", "portable_models")
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


def changes_something(function: Any, depth: int = _DEPTH) -> str:
    """How a function may change something that is no variable; empty where it only computes.

    Args:
        function: a function of the user's. Calls of other functions of the user's are followed.
        depth: how many functions deep.

    Returns:
        Words such as ``"assigns an attribute"``. What cannot be read is taken for a change.
    """
    if isinstance(function, MethodType):
        function = function.__func__
    if not isinstance(function, FunctionType):
        return "" if _is_known(function) else f"is a {type(function).__name__}"
    if depth == 0:
        return "calls many functions"
    for instruction in _instructions(function.__code__):
        if instruction.opname in _CHANGES:
            own = (
                instruction.opname == "STORE_DEREF"
                and instruction.argval in function.__code__.co_cellvars
            )
            if not own:
                return _CHANGES[instruction.opname]
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = function.__globals__.get(
                instruction.argval, getattr(builtins, instruction.argval, None)
            )
            if why := _reads(value, depth):
                return f"uses {instruction.argval}{why}"
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name == "__class__":
            continue
        if why := _reads(cell.cell_contents, depth):
            return f"uses {name}{why}"
    return ""


def _reads(value: Any, depth: int) -> str:
    if isinstance(value, FunctionType) and not _is_known(value):
        why = changes_something(value, depth - 1)
        return f", which {why}" if why else ""
    return "" if _is_known(value) else ", which may change anything"


def _is_known(value: Any) -> bool:
    """Whether a value is a number, a container, or code of Python, NumPy or Keras."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] in _MODULES
    if isinstance(value, _PLAIN):
        return True
    if any(value is each for each in _SETTERS):
        return False
    module = getattr(value, "__module__", None) or ("builtins" if callable(value) else "")
    return callable(value) and module.partition(".")[0] in (*_MODULES, "builtins", "_operator")


def _instructions(code: CodeType) -> list[dis.Instruction]:
    """Those of a function and of the functions that are written inside it."""
    found = list(dis.get_instructions(code))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _instructions(constant)
    return found
