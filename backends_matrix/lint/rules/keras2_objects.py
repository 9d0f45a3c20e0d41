"""PK9, third part: weights, metrics and checkpoints as Keras 2 took them."""

from __future__ import annotations

import ast

from backends_matrix.lint.events import Call, ClassRead, ModuleRead
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, on
from backends_matrix.lint.rules.keras2 import ARGUMENT, GENERATOR, H5
from backends_matrix.lint.values import Kind

_NODES = {"get_output_at", "get_input_at", "get_output_shape_at", "get_input_shape_at"}


@on(ClassRead)
def check_metric_class(event: ClassRead, report: Report) -> None:
    """``reset_states`` of a metric, which Keras 3 never calls."""
    method = event.info.own("reset_states")
    if method is None or "metric" not in event.kinds or event.info.own("reset_state") is not None:
        return
    # Keras's own reset_state sets variables to 0; what else the method does is left undone.
    if any(isinstance(node, ast.Assign | ast.AugAssign) for node in ast.walk(method)):
        header = ast.Pass(
            lineno=method.lineno,
            col_offset=method.col_offset,
            end_lineno=method.lineno,
            end_col_offset=method.col_offset + len("def reset_states"),
        )
        message = "Keras 3 calls reset_state, so that this metric is never reset by it"
        report(GENERATOR, event.frame, header, message, hint="Call the method reset_state.")


@on(Call)
def check_metric_call(event: Call, report: Report) -> None:
    """``metric.reset_states()``."""
    receiver = event.receiver
    if receiver is not None and receiver.kind is Kind.METRIC and event.method == "reset_states":
        hint = "Call reset_state."
        report(GENERATOR, event.frame, event.node, "Keras 3 has no reset_states", hint=hint)


@on(ModuleRead)
def check_objects(event: ModuleRead, report: Report) -> None:
    """Calls anywhere in a module."""
    module, frame = event.module, event.frame
    if not any(map(keras_name, module.imports.values())):
        return
    for node in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name == "self.add_weight" and node.args and _is_text(node.args[0]):
            message = "the first argument of add_weight is the shape"
            report(ARGUMENT, frame, node, message, hint="Write name=… behind the shape.")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _NODES:
            hint = "Use input and output of the layer, or of a model."
            report(GENERATOR, frame, node, f"Keras 3 has no {node.func.attr}", hint=hint)
        else:
            head = name.partition(".")[0]
            full = name.replace(head, module.imports[head], 1) if head in module.imports else ""
            if keras_name(full) == "keras.callbacks.ModelCheckpoint":
                _check_checkpoint(frame, node, report)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _check_checkpoint(frame: Frame, node: ast.Call, report: Report) -> None:
    given = {each.arg: each.value for each in node.keywords}
    path = node.args[0] if node.args else given.get("filepath")
    weights = given.get("save_weights_only")
    if not (isinstance(path, ast.Constant) and isinstance(path.value, str)):
        return
    if isinstance(weights, ast.Constant) and weights.value is True:
        if not path.value.endswith(".weights.h5"):
            report(H5, frame, node, "a checkpoint of weights has a name that ends in .weights.h5")
    elif weights is None and not path.value.endswith((".keras", ".h5")):
        report(H5, frame, node, "a checkpoint of a model has a name that ends in .keras")
