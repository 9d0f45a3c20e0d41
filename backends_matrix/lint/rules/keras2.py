"""PK9: what changed from Keras 2 to Keras 3."""

from __future__ import annotations

import ast
import re

from backends_matrix.lint.ancestry import keras_kind
from backends_matrix.lint.events import Member, ModuleRead
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.keras2_names import (
    ARGUMENTS,
    COMPILE,
    FIT,
    GENERATORS,
    METHODS,
    OPTIMIZER,
)
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, Rule, define, on, replace
from backends_matrix.lint.values import Kind

LR = define(
    Rule(
        "PK901",
        "optimizer-lr",
        "keras2",
        "An optimizer is given lr, or asked for it.",
        "The argument and the attribute are called learning_rate.",
        "Write learning_rate.",
        "ValueError: Argument(s) not recognized: {'lr': 0.01}",
    )
)
DECAY = define(
    Rule(
        "PK902",
        "optimizer-decay",
        "keras2",
        "An optimizer is given decay.",
        "Keras 3 ignores it with a warning, so that the learning rate stays what it was.",
        "Use learning_rate=keras.optimizers.schedules.InverseTimeDecay(lr, 1, decay).",
        "UserWarning: Argument `decay` is no longer supported and will be ignored.",
    )
)
INPUT = define(
    Rule(
        "PK903",
        "input-dim",
        "keras2",
        "A layer is given input_dim, input_shape or batch_input_shape.",
        "Keras 3 warns about the first two and does not take the third.",
        "Begin a Sequential with keras.Input(shape).",
        "UserWarning: Do not pass an `input_shape`/`input_dim` argument to a layer",
    )
)
H5 = define(
    Rule(
        "PK905",
        "saved-format",
        "keras2",
        "A model or its weights are saved under a name or format of Keras 2.",
        "save takes .keras (.h5 is legacy and warns; a folder raises), and save_weights takes .weights.h5.",
        'Save to "name.keras" and weights to "name.weights.h5"; use model.export for a SavedModel.',
        "ValueError: Invalid filepath extension for saving",
    )
)
GENERATOR = define(
    Rule(
        "PK906",
        "removed-method",
        "keras2",
        "A method of models, layers or optimizers is called that Keras 3 does not have.",
        "fit_generator and its like went long ago; predict_classes, add_metric, minimize and "
        "others with Keras 3.",
        "See the hint of the finding.",
        "AttributeError: 'Sequential' object has no attribute 'fit_generator'",
    )
)
FIT_ARGUMENT = define(
    Rule(
        "PK907",
        "fit-argument",
        "keras2",
        "fit, evaluate or predict is given an argument that Keras 3 does not take.",
        "workers, use_multiprocessing and max_queue_size are arguments of keras.utils.PyDataset now.",
        "Give them to the PyDataset.",
        "TypeError: fit() got an unexpected keyword argument 'workers'",
    )
)
COMPILE_ARGUMENT = define(
    Rule(
        "PK908",
        "compile-argument",
        "keras2",
        "compile is given an argument that Keras 3 does not take.",
        "It raises.",
        "Leave it out.",
        "TypeError: compile() got an unexpected keyword argument 'sample_weight_mode'",
    )
)
COMPILED = define(
    Rule(
        "PK909",
        "compiled-loss",
        "keras2",
        "A train step uses compiled_loss or compiled_metrics.",
        "They belong to Keras 2's trainer.",
        "Use self.compute_loss(x=x, y=y, y_pred=y_pred) and self.compute_metrics(x, y, y_pred).",
        "AttributeError: 'Model' object has no attribute 'compiled_loss'",
        static="the attribute is still there on Keras 3, deprecated, and its behaviour is not promised",
    )
)
ARGUMENT = define(
    Rule(
        "PK910",
        "layer-argument",
        "keras2",
        "A layer, callback or regularizer is given an argument that Keras 3 does not take.",
        "It raises.",
        "See the hint of the finding.",
        "ValueError: Unrecognized keyword arguments passed to Dense: {'weights': …}",
    )
)


_SETTINGS = re.compile(
    r"(^|[._])(cfg|conf|config|arg|opt|option|param|hparam|setting|flag)s?$", re.I
)
"""Ends of names that hold settings and not a model: ``config.optimizer.lr`` is a number."""


def full_name(module: Module, node: ast.expr) -> str:
    """The absolute name of what is imported; empty for anything else."""
    name = dotted(node)
    head = name.partition(".")[0]
    return name.replace(head, module.imports[head], 1) if head in module.imports else ""


def _renamed(frame: Frame, node: ast.Call, old: str, new: str) -> Fix | None:
    for keyword in node.keywords:
        if keyword.arg == old:
            edit = replace(frame.module, keyword, "")
            end = type(edit)(
                edit.start_line,
                edit.start_column,
                edit.start_line,
                edit.start_column + len(old),
                new,
            )
            return Fix(f"write {new}", True, (end,))
    return None


@on(ModuleRead)
def check_calls(event: ModuleRead, report: Report) -> None:
    """Calls anywhere in a module, by the names of what is called."""
    module, frame = event.module, event.frame
    if not _uses_keras(event):
        return
    for node in module.nodes:
        if isinstance(node, ast.Call):
            public = keras_name(full_name(module, node.func))
            given = {each.arg for each in node.keywords if each.arg}
            if public:
                _check_keras(frame, node, public, given, report)
            if isinstance(node.func, ast.Attribute):
                _check_method(frame, node, node.func, given, report)
        elif isinstance(node, ast.Attribute):
            _check_attribute(frame, node, report)


def _uses_keras(event: ModuleRead) -> bool:
    names = event.module.imports.values()
    return any(keras_name(name) or name.startswith("tensorflow") for name in names)


def _check_keras(frame: Frame, node: ast.Call, name: str, given: set[str], report: Report) -> None:
    kind = keras_kind(name)
    if kind == "optimizer":
        if "lr" in given:
            fix = _renamed(frame, node, "lr", "learning_rate")
            report(LR, frame, node, "the argument is called learning_rate", fix=fix)
        if "decay" in given:
            report(DECAY, frame, node, "Keras 3 ignores decay")
    elif kind == "layer":
        first = {"input_dim"} if "Embedding" in name else set()
        found = ({"input_dim", "input_shape", "batch_input_shape"} & given) - first
        if found and name not in ("keras.layers.Input", "keras.layers.InputLayer"):
            named = sorted(found)[0]
            report(INPUT, frame, node, f"{named} belongs into a keras.Input before the layer")
    for argument, hint in ARGUMENTS.get(kind, {}).items():
        if argument in given:
            new = hint.removeprefix("=")
            fix = _renamed(frame, node, argument, new) if hint.startswith("=") else None
            text = f"Write {new}." if hint.startswith("=") else hint
            report(ARGUMENT, frame, node, f"Keras 3 takes no {argument}", hint=text, fix=fix)


def _check_method(
    frame: Frame, node: ast.Call, func: ast.Attribute, given: set[str], report: Report
) -> None:
    name = func.attr
    owner = dotted(func.value).rpartition(".")[2]
    looks_like_model = "model" in owner.lower() or owner in ("self", "net", "network", "classifier")
    sure = name.endswith("_generator") or (looks_like_model and owner != "self")
    if name in GENERATORS and sure and not _defines(frame, name):
        report(GENERATOR, frame, node, f"Keras 3 has no {name}", hint=GENERATORS[name])
    elif (name in METHODS and owner == "self") or (
        name in OPTIMIZER and "optimizer" in owner.lower()
    ):
        if not _defines(frame, name):
            report(
                GENERATOR, frame, node, f"Keras 3 has no {name}", hint=(METHODS | OPTIMIZER)[name]
            )
    elif name in ("fit", "evaluate", "predict") and FIT.keys() & given:
        if looks_like_model or {"epochs", "batch_size", "steps_per_epoch", "verbose"} & given:
            argument = sorted(FIT.keys() & given)[0]
            new = FIT[argument]
            fix = _renamed(frame, node, argument, new) if new.isidentifier() else None
            hint = f"Write {new}." if new.isidentifier() else new
            report(FIT_ARGUMENT, frame, node, f"{name} takes no {argument}", hint=hint, fix=fix)
    elif name == "compile" and COMPILE & given and {"loss", "optimizer"} & given:
        argument = sorted(COMPILE & given)[0]
        report(COMPILE_ARGUMENT, frame, node, f"compile takes no {argument}")
    elif name in ("save", "save_weights") and looks_like_model:
        _check_saved(frame, node, name, given, report)


def _defines(frame: Frame, name: str) -> bool:
    return any(
        isinstance(each, ast.FunctionDef) and each.name == name for each in frame.module.nodes
    )


def _check_saved(frame: Frame, node: ast.Call, name: str, given: set[str], report: Report) -> None:
    if "save_format" in given:
        report(H5, frame, node, "the format follows from the name of the file")
        return
    path = node.args[0] if node.args else None
    if not (isinstance(path, ast.Constant) and isinstance(path.value, str)):
        return
    if name == "save_weights" and not path.value.endswith(".weights.h5"):
        report(H5, frame, node, "save_weights takes a name that ends in .weights.h5")
    elif (
        name == "save"
        and not path.value.endswith((".keras", ".zip"))
        and "self" not in dotted(node.func)
    ):
        report(H5, frame, node, "save takes a name that ends in .keras")


def _check_attribute(frame: Frame, node: ast.Attribute, report: Report) -> None:
    owner = dotted(node.value)
    if node.attr == "lr" and _is_optimizer(frame, owner):
        edit = replace(frame.module, node, f"{owner}.learning_rate")
        fix = Fix("write learning_rate", True, (edit,))
        report(LR, frame, node, "the attribute is called learning_rate", fix=fix)
    elif node.attr in ("compiled_loss", "compiled_metrics") and owner == "self":
        report(COMPILED, frame, node, f"self.{node.attr} belongs to Keras 2's trainer")


def _is_optimizer(frame: Frame, owner: str) -> bool:
    """Whether a name is one that people give to a model's optimizer, and not to parsed arguments."""
    before, _, last = owner.rpartition(".")
    if before:
        return last == "optimizer" and not _SETTINGS.search(before)
    if last not in ("optimizer", "opt"):
        return False
    module = frame.module
    values = [
        node.value
        for node in module.nodes
        if isinstance(node, ast.Assign) and last in map(dotted, node.targets)
    ]
    called = [full_name(module, each.func) for each in values if isinstance(each, ast.Call)]
    if values:
        return any(keras_kind(keras_name(each)) == "optimizer" for each in called)
    return last == "optimizer"


@on(Member)
def check_member(event: Member, report: Report) -> None:
    """``lr`` of an optimizer that the reading knows."""
    if event.base.kind is Kind.OPTIMIZER and event.node.attr == "lr":
        report(LR, event.frame, event.node, "the attribute is called learning_rate")
