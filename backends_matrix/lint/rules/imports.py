"""PK7: names: what belongs to Keras's insides, to tf.keras, or to no Keras 3 at all."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator
from pathlib import Path

from backends_matrix.lint.events import ModuleRead
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import TF_KERAS_NAME
from backends_matrix.lint.rule import Report, Rule, define, on, replace

SOURCE = define(
    Rule(
        "PK701",
        "keras-source",
        "names",
        "Something is imported from keras.src.",
        "keras.src is Keras's inside: names move there from one version to the next without notice.",
        "Import the public name, such as keras.layers.Layer.",
        static="it works until the next version of Keras; nothing fails or differs today",
    )
)
TF_KERAS = define(
    Rule(
        "PK702",
        "tf-keras",
        "names",
        "Keras is imported by way of TensorFlow.",
        "tf.keras needs TensorFlow, whichever backend runs, and is Keras 2 where "
        "TF_USE_LEGACY_KERAS is set. Its "
        "objects do not mix with those of keras then.",
        "Import keras.",
        "ModuleNotFoundError: No module named 'tensorflow'",
        static="with TensorFlow installed it is the same Keras; it fails where TensorFlow is missing",
    )
)
UNKNOWN = define(
    Rule(
        "PK703",
        "unknown-name",
        "names",
        "A name is used that Keras 3 does not have.",
        "It was in Keras 2, or never there.",
        "See the hint of the finding for the name in Keras 3.",
        "AttributeError: module 'keras.layers' has no attribute 'CuDNNLSTM'",
    )
)
LATE = define(
    Rule(
        "PK704",
        "backend-set-late",
        "names",
        "KERAS_BACKEND is set after keras is imported.",
        "The backend is chosen when keras is imported; setting the variable afterwards changes nothing.",
        "Set it before the first import of keras, or outside of the program.",
    )
)

RENAMED = {
    "keras.layers.CuDNNLSTM": "keras.layers.LSTM",
    "keras.layers.CuDNNGRU": "keras.layers.GRU",
    "keras.layers.BatchNormalizationV1": "keras.layers.BatchNormalization",
    "keras.layers.experimental": "the layers in keras.layers",
    "keras.layers.merge": "keras.layers.Concatenate, Add …",
    "keras.layers.ThresholdedReLU": "keras.layers.ReLU(threshold=…)",
    "keras.layers.LocallyConnected1D": "an own layer; Keras 3 has none",
    "keras.layers.LocallyConnected2D": "an own layer; Keras 3 has none",
    "keras.layers.core": "keras.layers",
    "keras.layers.convolutional": "keras.layers",
    "keras.layers.normalization": "keras.layers",
    "keras.layers.embeddings": "keras.layers",
    "keras.layers.recurrent": "keras.layers",
    "keras.layers.advanced_activations": "keras.layers",
    "keras.layers.wrappers": "keras.layers",
    "keras.engine": "keras",
    "keras.utils.np_utils": "keras.utils",
    "keras.utils.multi_gpu_model": "keras.distribution",
    "keras.utils.generic_utils": "keras.utils",
    "keras.preprocessing.text": "keras.layers.TextVectorization",
    "keras.preprocessing.image.ImageDataGenerator": "keras.utils.image_dataset_from_directory and the layers "
    "for augmentation",
    "keras.wrappers.scikit_learn": "keras.wrappers.SKLearnClassifier or SKLearnRegressor",
    "keras.losses.Reduction": 'reduction="sum_over_batch_size", "sum" or None',
    "keras.optimizers.legacy": "the optimizers in keras.optimizers",
    "keras.optimizers.experimental": "the optimizers in keras.optimizers",
    "keras.experimental": "keras.layers or keras.optimizers.schedules",
    "keras.estimator": "nothing; Keras 3 has no estimators",
    "keras.callbacks.experimental": "keras.callbacks",
    "keras.initializers.VarianceScalingV2": "keras.initializers.VarianceScaling",
    "keras.models.load_weights": "model.load_weights",
}
"""Names of Keras 2 -> what Keras 3 has."""


_HOLLOW = {"keras.optimizers.legacy"}
"""Modules that are there and raise when they are used."""


@functools.cache
def known_names() -> dict[str, frozenset[str]]:
    """The public modules of Keras 3 and the names in them."""
    path = Path(__file__).parents[1] / "keras_names.json"
    data: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return {module: frozenset(names) for module, names in data.items()}


def missing_part(name: str) -> str:
    """The shortest beginning of a dotted Keras name that Keras 3 does not have; empty where it has all."""
    known = known_names()
    parts = name.split(".")
    for length in range(2, len(parts) + 1):
        if ".".join(parts[:length]) in _HOLLOW:
            return ".".join(parts[:length])
        module, last = ".".join(parts[: length - 1]), parts[length - 1]
        if module not in known:
            return ""  # an attribute of a class or function
        if last not in known[module] and not last.startswith("_"):
            return ".".join(parts[:length])
    return ""


def _is_inside(name: str) -> bool:
    return name.startswith(("keras.src", "keras.api", "keras._"))


@on(ModuleRead)
def check_imports(event: ModuleRead, report: Report) -> None:
    """Import statements and dotted names."""
    module, frame = event.module, event.frame
    tried = set(_tried(module))
    if module.name.partition(".")[0] == "keras":
        return
    for node in module.nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom) or node in tried:
            continue
        for alias in node.names:
            name = alias.name
            if isinstance(node, ast.ImportFrom):
                name = f"{module.absolute(node.module or '', node.level)}.{alias.name}"
            if name.startswith("keras.src"):
                report(SOURCE, frame, node, f"{name} is not public")
            elif TF_KERAS_NAME.match(name):
                fix = _from_keras(module, node)
                report(TF_KERAS, frame, node, f"{name} needs TensorFlow on every backend", fix=fix)
            elif name.startswith("keras.") and not _is_inside(name):
                _check_known(event, node, name, report)
    _check_attributes(event, tried, report)


def _check_known(event: ModuleRead, node: ast.AST, name: str, report: Report) -> None:
    missing = missing_part(name)
    if missing and not missing.startswith("keras.backend."):
        better = RENAMED.get(missing) or RENAMED.get(name)
        hint = f"Use {better}." if better else ""
        report(UNKNOWN, event.frame, node, f"Keras 3 has no {missing}", hint=hint)


def _check_attributes(event: ModuleRead, tried: set[ast.AST], report: Report) -> None:
    module = event.module
    inner = {node.value for node in module.nodes if isinstance(node, ast.Attribute)}
    assigned = {
        name.id
        for node in module.nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        for name in [node]
    }
    parameters = {node.arg for node in module.nodes if isinstance(node, ast.arg)}
    for node in module.nodes:
        if not isinstance(node, ast.Attribute) or node in inner or node in tried:
            continue
        name = dotted(node)
        head, _, rest = name.partition(".")
        if not rest or head in assigned | parameters or head not in module.imports:
            continue
        full = f"{module.imports[head]}.{rest}"
        match = TF_KERAS_NAME.match(full)
        if match and not TF_KERAS_NAME.match(module.imports[head]):
            report(
                TF_KERAS,
                event.frame,
                node,
                f"{match[0]} needs TensorFlow on every backend",
            )
        elif full.startswith("keras.") and not _is_inside(full):
            _check_known(event, node, full, report)


def _tried(module: Module) -> Iterator[ast.AST]:
    """Code that need not be there: in try, under hasattr or a test of a version, and annotations."""
    for node in module.nodes:
        if isinstance(node, ast.Try):
            for each in (*node.body, *(part for handler in node.handlers for part in handler.body)):
                yield from ast.walk(each)
        elif isinstance(node, ast.AnnAssign | ast.arg):
            if node.annotation is not None:
                yield from ast.walk(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield from ast.walk(node.returns)
        elif isinstance(node, ast.If | ast.IfExp):
            test = ast.unparse(node.test)
            if "hasattr" in test or "ersion" in test or "TYPE_CHECKING" in test:
                yield from ast.walk(node)


def _from_keras(module: Module, node: ast.Import | ast.ImportFrom) -> Fix | None:
    if isinstance(node, ast.Import):
        if len(node.names) != 1 or not node.names[0].asname:
            return None
        name = TF_KERAS_NAME.sub("keras", node.names[0].name)
        text = f"import {name}" + (
            f" as {node.names[0].asname}" if node.names[0].asname != name else ""
        )
    else:
        source = node.module or ""
        names = ", ".join(
            each.name + (f" as {each.asname}" if each.asname else "") for each in node.names
        )
        if source == "tensorflow":
            if len(node.names) != 1:
                return None
            asname = node.names[0].asname
            text = "import keras" + (f" as {asname}" if asname and asname != "keras" else "")
        else:
            text = f"from {TF_KERAS_NAME.sub('keras', source)} import {names}"
        full = f"{TF_KERAS_NAME.sub('keras', source)}"
        if full.startswith("keras") and any(
            missing_part(f"{full}.{each.name}") for each in node.names if each.name != "*"
        ):
            return None
    safe = not _uses_missing(module, node)
    return Fix("import keras itself", safe, (replace(module, node, text),))


def _uses_missing(module: Module, node: ast.Import | ast.ImportFrom) -> bool:
    """Whether names are used that tf.keras has and keras has not, such as the functions of its backend."""
    bound = {
        local: TF_KERAS_NAME.sub("keras", name)
        for local, name in module.names_of_import(node).items()
    }
    for each in module.nodes:
        head, _, rest = (
            dotted(each).partition(".") if isinstance(each, ast.Attribute) else ("", "", "")
        )
        if rest and head in bound and missing_part(f"{bound[head]}.{rest}"):
            return True
    return False


@on(ModuleRead)
def check_backend_variable(event: ModuleRead, report: Report) -> None:
    """``os.environ["KERAS_BACKEND"] = …`` below ``import keras``."""
    imported = 0
    for node in event.module.tree.body:
        for each in ast.walk(node):
            match each:
                case ast.Import(names=names) if any(
                    name.name.partition(".")[0] in ("keras", "keras_hub") for name in names
                ):
                    imported = imported or each.lineno
                case ast.ImportFrom(module=str() as name, level=0) if name.partition(".")[0] in (
                    "keras",
                    "keras_hub",
                ):
                    imported = imported or each.lineno
        if not isinstance(node, ast.Assign | ast.Expr) or not imported:
            continue
        if _sets_backend(node):
            report(
                LATE,
                event.frame,
                node,
                f"keras was imported in line {imported} and has chosen its backend",
            )


def _sets_backend(node: ast.Assign | ast.Expr) -> bool:
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=owner, slice=ast.Constant(value="KERAS_BACKEND"))]
        ):
            return dotted(owner).endswith("environ")
        case ast.Expr(value=ast.Call(func=func, args=[ast.Constant(value="KERAS_BACKEND"), *_])):
            return dotted(func).endswith(("environ.setdefault", "putenv"))
    return False
