"""PK9, second part: functions of keras.backend that Keras 3 does not have."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import ModuleRead
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.keras2_names import FUNCTIONS, BackendFunction
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.replacements import are_tensors, call_instead
from backends_matrix.lint.rule import Report, Rule, define, on

FUNCTION = define(
    Rule(
        "PK904",
        "backend-function",
        "keras2",
        "A function of keras.backend is used that Keras 3 does not have.",
        "The functions of keras.backend for tensors are gone.",
        "Use keras.ops.",
        "AttributeError: module 'keras.backend' has no attribute 'mean'",
    )
)


@on(ModuleRead)
def check_backend_functions(event: ModuleRead, report: Report) -> None:
    """Functions of keras.backend."""
    module = event.module
    parents = {node.func: node for node in module.nodes if isinstance(node, ast.Call)}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and keras_name(node.module or "") == "keras.backend":
            for each in node.names:
                if each.name in FUNCTIONS:
                    message = f"Keras 3 has no keras.backend.{each.name}"
                    report(FUNCTION, event.frame, node, message, hint=FUNCTIONS[each.name].hint)
        if not isinstance(node, ast.Attribute):
            continue
        name = dotted(node)
        head, _, rest = name.partition(".")
        if not rest or head not in module.imports:
            continue
        public = keras_name(f"{module.imports[head]}.{rest}")
        place, _, last = public.rpartition(".")
        if place == "keras.backend" and last in FUNCTIONS:
            known = FUNCTIONS[last]
            fix = _ops_instead(event, parents.get(node), known)
            report(
                FUNCTION,
                event.frame,
                node,
                f"Keras 3 has no keras.backend.{last}",
                hint=known.hint,
                fix=fix,
            )


_KEYWORDS = {"axis", "keepdims", "dtype", "num_classes", "alpha"}


def _ops_instead(event: ModuleRead, call: ast.Call | None, known: BackendFunction) -> Fix | None:
    if not known.same or call is None or not 0 < len(call.args) <= 3:
        return None
    named = {each.arg for each in call.keywords}
    if not named <= _KEYWORDS or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    # relu of keras.backend took a slope, a limit and a threshold, too.
    if known.same == "relu" and (len(call.args) > 1 or named):
        return None
    if known.same in ("stack", "concatenate") and not are_tensors(call):
        return None
    # A list of tensors was taken as well.
    if known.same == "stop_gradient" and isinstance(call.args[0], ast.List | ast.Tuple):
        return None
    lacks = len(call.args) == 1 and "axis" not in named
    return call_instead(
        event.module, call, known.same, missing=known.missing if lacks else "", safe=known.safe
    )
