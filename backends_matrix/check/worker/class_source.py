"""The source of a user's own class, with all that it names, as short as it can be written."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from types import FunctionType, ModuleType
from typing import Any

from backends_matrix.check.worker.failure import is_users


class SourceNotTakenError(Exception):
    """The class needs something that a script with Keras and NumPy alone cannot have."""


def definitions_of(kind: type, root: str) -> dict[str, str]:
    """The class and what it needs, by name, in the order in which it must be defined.

    Comments and docstrings are left out.

    Args:
        kind: a class of the user's.
        root: folder of the user's own files.

    Raises:
        SourceNotTakenError: it needs another package than Keras and NumPy, or has no source.
    """
    found: dict[str, str] = {}
    _take(kind.__name__, kind, root, found, set())
    return found


def _take(name: str, value: Any, root: str, found: dict[str, str], begun: set[str]) -> None:
    if name in found or name in begun:
        return
    begun.add(name)
    if isinstance(value, ModuleType):
        found[name] = _import(name, value)
        return
    own = isinstance(value, type | FunctionType) and _is_own(value, root)
    if not own:
        found[name] = _library_name(name, value)
        return
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError, SyntaxError) as error:
        raise SourceNotTakenError(f"the source of {name} is not at hand") from error
    space = vars(sys.modules[value.__module__])
    for needed in _names(tree):
        if needed in space and needed not in ("keras", "np", "__name__"):
            _take(needed, space[needed], root, found, begun)
        elif needed in ("keras", "np") and needed in space:
            _import(needed, space[needed])
    found[name] = ast.unparse(_without_docstrings(tree))


def _names(tree: ast.AST) -> list[str]:
    """Names that are read, in order, without repeats."""
    return list(
        dict.fromkeys(
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        )
    )


def _is_own(value: Any, root: str) -> bool:
    module = sys.modules.get(value.__module__)
    file = getattr(module, "__file__", None)
    if not file:
        return False
    return is_users(file, root)


def _import(name: str, module: ModuleType) -> str:
    full = module.__name__
    if name == "np" and full == "numpy":
        return ""
    if full == "keras":
        return f"import keras as {name}" if name != "keras" else ""
    if full.startswith("keras.") or full in ("numpy", "math"):
        public = full.replace(".src.", ".").replace(".api.", ".").replace("._tf_keras.", ".")
        return f"import {public} as {name}"
    raise SourceNotTakenError(f"it uses {full}")


def _library_name(name: str, value: Any) -> str:
    """A name that is no class or function of the user's: an import, or a constant."""
    module = str(getattr(value, "__module__", "") or "")
    own_name = getattr(value, "__name__", "")
    if module.startswith("keras.") and own_name:
        import keras

        for place in ("layers", "ops", "models", "losses", "initializers", "saving", "random"):
            if getattr(getattr(keras, place), own_name, None) is value:
                return f"{name} = keras.{place}.{own_name}"
        if getattr(keras, own_name, None) is value:
            return f"{name} = keras.{own_name}"
    written = repr(value)
    try:
        if ast.literal_eval(written) == value:
            return f"{name} = {written}"
    except (ValueError, SyntaxError):
        pass
    raise SourceNotTakenError(f"it uses {name}, which is neither Keras's nor NumPy's")


class _Docstrings(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            first = node.body[0]
            is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if is_text and isinstance(first.value.value, str):  # type: ignore[attr-defined]
                node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            # Types may name what is imported for types alone.
            node.returns = None
            for each in [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]:
                each.annotation = None
        return node


def _without_docstrings(tree: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(_Docstrings().visit(tree))  # type: ignore[no-any-return]
