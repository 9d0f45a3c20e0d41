"""PK9, second part: functions of keras.backend that Keras 3 does not have."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import ModuleRead
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.keras2_names import FUNCTIONS, BackendFunction
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, Rule, define, on, ops_alias, replace

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
            fix = _ops_instead(event, node, parents.get(node), known)
            report(
                FUNCTION,
                event.frame,
                node,
                f"Keras 3 has no keras.backend.{last}",
                hint=known.hint,
                fix=fix,
            )


def _ops_instead(
    event: ModuleRead, node: ast.Attribute, call: ast.Call | None, known: BackendFunction
) -> Fix | None:
    if not known.same or call is None or len(call.args) > 3:
        return None
    alias, imports = ops_alias(event.module)
    edit = replace(event.module, node, f"{alias}.{known.same}")
    return Fix(f"call {alias}.{known.same}", True, (edit,), imports)
