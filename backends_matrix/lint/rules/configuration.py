"""PK6, second part: a get_config that forgets, renames or holds objects, and what __init__ must take."""

from __future__ import annotations

import ast

from backends_matrix.lint.ancestry import ClassInfo
from backends_matrix.lint.configs import (
    BASE_KEYS,
    Config,
    Signature,
    base_configs,
    config_of,
    forwarded,
    objects,
    signature_of,
    taken_from_keywords,
    unused,
)
from backends_matrix.lint.events import ClassRead
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, Rule, define, on
from backends_matrix.lint.rules.saving import is_abstract, is_test

FORGETS = define(
    Rule(
        "PK604",
        "config-forgets",
        "saving",
        "get_config leaves out an argument of __init__.",
        "The loaded object has the default for it: other numbers, without a word. Where there is no default, "
        "loading fails.",
        "Add the argument to the config.",
    )
)
RENAMES = define(
    Rule(
        "PK605",
        "config-renames",
        "saving",
        "get_config has a key that __init__ does not take.",
        "from_config passes each key as an argument, so that loading fails.",
        "Use the name of the argument as key, or write from_config.",
        "TypeError: __init__() got an unexpected keyword argument; Unrecognized keyword arguments "
        "passed to …",
    )
)
HOLDS = define(
    Rule(
        "PK606",
        "config-holds-object",
        "saving",
        "get_config holds a layer or function as it is.",
        "The file holds a description of the object, and __init__ is given this description when "
        "the model is "
        "loaded.",
        "Put keras.saving.serialize_keras_object(...) into the config and deserialize in from_config; for "
        "activations use keras.activations.get in __init__ and serialize in get_config.",
        "TypeError: 'dict' object is not callable",
    )
)
BASE = define(
    Rule(
        "PK607",
        "config-without-base",
        "saving",
        "get_config of a layer, loss or metric does not ask the base class.",
        "Name, dtype policy, trainable or reduction are lost: a loaded layer trains or computes otherwise.",
        "Begin with config = super().get_config().",
    )
)
SIGNATURE = define(
    Rule(
        "PK608",
        "init-signature",
        "saving",
        "__init__ cannot be called with the config: positional-only or variadic parameters, or no **kwargs.",
        "from_config passes everything by keyword, name, trainable and dtype included.",
        "Give every parameter a name, and pass **kwargs on to super().__init__.",
        "TypeError: __init__() got an unexpected keyword argument 'trainable'",
    )
)

_ROOTS = {"keras.layers.Layer", "keras.models.Model", "keras.losses.Loss", "keras.metrics.Metric"}
_ROOTS |= {"keras.Loss", "keras.Metric", "keras.initializers.Initializer", "keras.Initializer"}
_ROOTS |= {"keras.regularizers.Regularizer", "keras.constraints.Constraint", "keras.Regularizer"}
_ROOTS |= {"keras.optimizers.schedules.LearningRateSchedule"}
_ACCEPTED = {
    *BASE_KEYS,
    *{"input_shape", "batch_input_shape", "input_dim", "batch_shape", "input_dtype", "autocast"},
}


def roots(info: ClassInfo) -> set[str]:
    """Keras's base classes of a class, by their public names."""
    return {
        keras_name(name) for each in info.ancestors() for name in each.externals if keras_name(name)
    }


@on(ClassRead)
def check_config(event: ClassRead, report: Report) -> None:
    """get_config against __init__."""
    info, frame = event.info, event.frame
    signature = signature_of(info)
    own = info.own("get_config")
    if signature is None or is_test(info.module) or frame.gates or info.method("from_config"):
        return
    plain = bool(roots(info)) and roots(info) <= _ROOTS and info.knows_all_bases()
    config = config_of(own) if own is not None else None
    if config is not None:
        _check_base(event, config, report)
        _check_objects(event, signature, config, report)
        if plain and config.complete and not is_abstract(info):
            _check_forgotten(event, signature, config, report)
            _check_renamed(event, signature, config, report)
    if plain and event.kinds & {"layer", "model", "loss", "metric"}:
        _check_signature(event, signature, config, report)


def _check_base(event: ClassRead, config: Config, report: Report) -> None:
    if config.calls_base or not event.kinds & {"layer", "loss", "metric"} or "model" in event.kinds:
        return
    if (
        {"name", "reduction" if "loss" in event.kinds else "dtype"} <= {*config.values}
        or not config.values
        or not config.complete
    ):
        return
    what = "name, dtype and trainable" if "layer" in event.kinds else "name and dtype or reduction"
    report(BASE, event.frame, config.node, f"get_config of {event.info.name} loses {what}")


def _check_objects(event: ClassRead, signature: Signature, config: Config, report: Report) -> None:
    held = objects(signature, event.info)
    for key, value in config.values.items():
        match value:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if (
                key in held and held[key] == attribute
            ):
                report(
                    HOLDS,
                    event.frame,
                    value,
                    f"the config holds the object self.{attribute} itself",
                )


def _check_forgotten(
    event: ClassRead, signature: Signature, config: Config, report: Report
) -> None:
    known = {*config.values}
    for base in base_configs(event.info) if config.calls_base else ():
        found = base.own("get_config")
        assert found is not None
        inner = config_of(found)
        if not inner.complete:
            return
        known |= {*inner.values}
    handed = forwarded(signature) if config.calls_base and event.info.bases else set()
    if any(
        event.info.method(name) for name in ("load_assets", "load_own_variables", "load_vocabulary")
    ):
        return  # a part of the state comes from elsewhere
    handed |= {"input_tensor"} if "model" in event.kinds else set()
    handed |= unused(signature)
    missing = [name for name in signature.own if name not in known | handed]
    if missing:
        named = ", ".join(missing)
        report(
            FORGETS,
            event.frame,
            config.node,
            f"get_config leaves out {named}, which __init__ takes",
        )


def _check_renamed(event: ClassRead, signature: Signature, config: Config, report: Report) -> None:
    accepted = {*signature.names, *_ACCEPTED} | taken_from_keywords(signature)
    if signature.keywords:
        for each in event.info.ancestors():
            inner = signature_of(each)
            if inner is not None:
                accepted |= {*inner.names} | taken_from_keywords(inner)
    removed = {
        node.args[0].value
        for node in ast.walk(config.node)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "pop"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    for key, value in config.values.items():
        if key not in accepted and key not in removed and _is_top_level(config, value):
            report(RENAMES, event.frame, value, f"__init__ of {event.info.name} takes no {key!r}")


def _is_top_level(config: Config, value: ast.expr) -> bool:
    """Whether a value stands in the config itself and not in a dictionary inside of it."""
    for node in ast.walk(config.node):
        if isinstance(node, ast.Dict):
            for each in node.values:
                nests = isinstance(each, ast.Dict | ast.Call | ast.List) and each is not value
                if nests and any(inner is value for inner in ast.walk(each)):
                    return False
    return True


def _check_signature(
    event: ClassRead, signature: Signature, config: Config | None, report: Report
) -> None:
    info, frame = event.info, event.frame
    if signature.owner is not info:
        return
    if signature.positional_only:
        named = ", ".join(signature.positional_only)
        report(
            SIGNATURE, frame, _header(signature.node), f"__init__ takes {named} by position only"
        )
    elif signature.variadic and config is None and _uses(signature.node, signature.variadic):
        report(
            SIGNATURE,
            frame,
            _header(signature.node),
            f"__init__ takes *{signature.variadic}, which no config holds",
        )
    elif config is not None and config.calls_base and not signature.keywords and not info.bases:
        lacking = {"loss": {"name"}, "metric": {"name", "dtype"}}.get(
            next(iter(event.kinds - {"layer"}), ""), {"name", "trainable", "dtype"}
        )
        removes = any(
            isinstance(node, ast.Delete) or (isinstance(node, ast.Attribute) and node.attr == "pop")
            for node in ast.walk(config.node)
        )
        if not lacking <= {*signature.names} and not removes:
            missing = ", ".join(sorted(lacking - {*signature.names}))
            report(
                SIGNATURE,
                frame,
                _header(signature.node),
                f"__init__ takes no {missing}, which the config has",
            )


def _header(node: ast.FunctionDef) -> ast.AST:
    return ast.Pass(
        lineno=node.lineno,
        col_offset=node.col_offset,
        end_lineno=node.lineno,
        end_col_offset=node.col_offset + len("def __init__"),
    )


def _uses(node: ast.FunctionDef, name: str) -> bool:
    """Whether variadic arguments are used otherwise than handed on to the base class."""
    used = [each for each in ast.walk(node) if isinstance(each, ast.Name) and each.id == name]
    starred = [
        each
        for each in ast.walk(node)
        if isinstance(each, ast.Starred)
        and isinstance(each.value, ast.Name)
        and each.value.id == name
    ]
    return len(used) > len(starred)
