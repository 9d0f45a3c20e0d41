"""Where the reading begins: methods and functions that Keras calls, and what it gives them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backends_matrix.lint.ancestry import ClassInfo
from backends_matrix.lint.events import ClassRead, MethodRead, ModuleRead
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.gates import definition_gates, module_gates, named_backends
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.parameters import bind_parameters

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader

LAYER = {
    "call": "call",
    "compute_mask": "call",
    "build": "build",
    "compute_output_shape": "shape",
    "compute_output_spec": "shape",
    "train_step": "step",
    "test_step": "step",
    "predict_step": "step",
    "compute_loss": "loss",
    "compute_loss_and_updates": "loss",
    "compute_metrics": "metric",
    "__init__": "init",
}
ROLES: dict[str, dict[str, str]] = {
    "layer": LAYER,
    "model": LAYER,
    "operation": {"call": "call", "compute_output_spec": "shape", "__init__": "init"},
    "loss": {"call": "loss", "__init__": "init"},
    "metric": {"update_state": "metric", "result": "metric", "__init__": "init"},
    "optimizer": {"update_step": "optimizer", "build": "build", "__init__": "init"},
    "schedule": {"__call__": "schedule"},
    "regularizer": {"__call__": "regularizer"},
    "constraint": {"__call__": "constraint"},
}
"""Kind of class -> method that Keras calls -> role."""

_BUILDING = (
    "keras.layers.",
    "keras.models.",
    "keras.Sequential",
    "keras.Model",
    "keras.losses.",
    "keras.ops.",
)
_HOST_SIDE = re.compile(
    r"(Processor|Preprocess(or|ing)|Tokenizer|Extractor|Converter|Packer)(Layer)?$"
)

_SAYS_EAGER = re.compile(
    r"\b(runs?|run_eagerly|called|executed|used|works?)\s+(only\s+)?eagerly|eagerly\s+only"
    r"|\beager[\s-]+(mode\s+)?only|only\s+(in|works\s+in)\s+eager",
    re.IGNORECASE,
)


def read_module(reader: Reader, module: Module) -> None:
    """Read everything of a module from where Keras would call it."""
    gates = module_gates(module)
    handed = handed_over(module)
    frame = Frame(module, None, "module", gates=gates)
    reader.emit(ModuleRead(frame, module))
    for node, body, outer in _definitions(reader, module, module.tree.body, gates):
        found = outer | definition_gates(node.name, body)
        if isinstance(node, ast.ClassDef):
            _read_class(reader, module, node, found)
        else:
            _read_function(reader, module, node, found, handed)
    if _builds_functional(reader, module, module.tree.body):
        _read_body(reader, frame, module.tree.body)


def _definitions(
    reader: Reader, module: Module, body: list[ast.stmt], gates: frozenset[str]
) -> Iterator[tuple[ast.ClassDef | ast.FunctionDef, list[ast.stmt], frozenset[str]]]:
    """All classes and functions, inner ones too, with the conditions on the backend they stand under."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield node, body, gates
            yield from _definitions(
                reader,
                module,
                [each for each in node.body if isinstance(each, ast.ClassDef)],
                gates,
            )
        elif isinstance(node, ast.FunctionDef):
            yield node, body, gates
            yield from _definitions(reader, module, node.body, gates)
        elif isinstance(node, ast.If):
            holds, fails = reader.gates.of_test(module, node.test)
            yield from _definitions(reader, module, node.body, gates | holds)
            yield from _definitions(reader, module, node.orelse, gates | fails)
        elif isinstance(node, ast.Try | ast.With | ast.For | ast.While):
            yield from _definitions(reader, module, node.body, gates)
            for handler in getattr(node, "handlers", ()):
                yield from _definitions(reader, module, handler.body, gates)


def _read_class(reader: Reader, module: Module, node: ast.ClassDef, gates: frozenset[str]) -> None:
    info = reader.ancestry.of(module, node)
    kinds = info.kinds()
    if not kinds:
        return
    gates |= _required(info)
    reader.emit(ClassRead(Frame(module, None, "class", info, gates=gates), info, kinds))
    roles: dict[str, str] = {}
    for kind in kinds:
        roles |= ROLES.get(kind, {})
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name in roles:
            frame = Frame(
                module,
                method,
                roles[method.name],
                own_class=info,
                gates=gates | definition_gates(method.name, node.body),
            )
            if frame.role == "call" and _is_host_side(info, method):
                continue
            reader.emit(MethodRead(frame, method))
            bind_parameters(reader, frame, method, info)
            reader.enter(frame)


def _required(info: ClassInfo) -> frozenset[str]:
    """The backends whose framework ``__init__`` insists on: ``assert_tf_libs_installed(...)``."""
    found: set[str] = set()
    for each in info.ancestors():
        init = each.own("__init__")
        for node in ast.walk(init) if init is not None else ():
            if isinstance(node, ast.Call):
                called = dotted(node.func).rpartition(".")[2]
                if called.startswith(("assert_", "check_", "require_", "ensure_")):
                    found |= named_backends(called)
    return frozenset(found)


def _is_host_side(info: ClassInfo, method: ast.FunctionDef) -> bool:
    """Whether a layer works before the model, in a data pipeline or on the host, and says so."""
    for each in info.ancestors():
        if _HOST_SIDE.search(each.name) or _SAYS_EAGER.search(ast.get_docstring(each.node) or ""):
            return True
        init = each.own("__init__")
        for node in ast.walk(init) if init is not None else ():
            match node:
                case ast.Assign(
                    targets=[ast.Attribute(attr="_convert_input_args")],
                    value=ast.Constant(value=False),
                ):
                    return True
        if any(keras_name(name).endswith("TFDataLayer") for name in each.externals):
            return True
    if _SAYS_EAGER.search(ast.get_docstring(method) or ""):
        return True
    return any("preprocess" in dotted(each).lower() for each in method.decorator_list)


def handed_over(module: Module) -> dict[str, str]:
    """Functions that the module hands to Keras, by name: as loss, metric, activation or in a Lambda layer."""
    found: dict[str, str] = {}
    for node in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func).rpartition(".")[2]
        if called == "Lambda" and node.args and isinstance(node.args[0], ast.Name):
            found[node.args[0].id] = "lambda"
        for keyword in node.keywords:
            parts = keyword.value.elts if isinstance(keyword.value, ast.List) else [keyword.value]
            role = ""
            if called == "compile" and keyword.arg in ("loss", "metrics"):
                role = "loss"
            elif keyword.arg == "activation" or (called == "Lambda" and keyword.arg == "function"):
                role = "lambda"
            if role:
                found.update({each.id: role for each in parts if isinstance(each, ast.Name)})
    return found


def _read_function(
    reader: Reader,
    module: Module,
    node: ast.FunctionDef,
    gates: frozenset[str],
    handed: dict[str, str],
) -> None:
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if names[:2] == ["y_true", "y_pred"] or node.name in handed:
        frame = Frame(module, node, handed.get(node.name, "loss"), gates=gates)
        bind_parameters(reader, frame, node, None)
        reader.enter(frame)
    elif _builds_functional(reader, module, node.body):
        frame = Frame(module, node, "functional", gates=gates)
        bind_parameters(reader, frame, node, None)
        reader.enter(frame)


def _builds_functional(reader: Reader, module: Module, body: list[ast.stmt]) -> bool:
    """Whether statements use layers, models, losses or operations, not counting inner definitions."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.Call):
                name = dotted(each.func)
                public = keras_name(reader.names.external(module, name)) if name else ""
                if public.startswith(_BUILDING) or name.rpartition(".")[2] == "Input":
                    return True
    return False


def _read_body(reader: Reader, frame: Frame, body: list[ast.stmt]) -> None:
    whole = ast.FunctionDef(
        name="<module>",
        args=ast.arguments([], [], None, [], [], None, []),
        body=[each for each in body if not isinstance(each, ast.ClassDef | ast.FunctionDef)],
        decorator_list=[],
        lineno=1,
        col_offset=0,
    )
    reader.enter(Frame(frame.module, whole, "functional", gates=frame.gates))
