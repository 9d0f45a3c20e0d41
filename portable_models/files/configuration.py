"""What a model's configuration may name: an allow-list, held against every object at every depth.

Keras builds an object for each ``{"class_name", "config", "module", "registered_name"}`` that it finds.
Its safe mode refuses what is known to be unsafe; here everything is refused that is not known to be
a part of a model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from portable_models.files.document import Json, walk
from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits, shorten

# Parts of Keras that hold parts of models. Left out on purpose: utils, saving, config, preprocessing,
# datasets, callbacks, applications, export …, which read files, fetch from the network or change state.
_AREAS = (
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "quantizers",
    "random",
    "regularizers",
)
_KERAS = re.compile(
    rf"keras\.(src\.)?({'|'.join(_AREAS)})(\.\w+)*|keras\.src\.backend\.\w+\.optimizers(\.\w+)*"
)
_KERAS_TOP = frozenset(
    {"Model", "Sequential", "Functional", "DTypePolicy", "FloatDTypePolicy", "Variable"}
)
_FUNCTIONS = re.compile(
    r"builtins|keras\.(src\.)?(activations|constraints|initializers|losses|metrics|ops|regularizers)(\.\w+)*"
)
_PLAIN = frozenset(
    {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__slice__", "__ellipsis__"}
)
# Layers that run code or read files from outside the archive.
_FOREIGN_CODE = frozenset({"TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
_VOCABULARY = ("vocabulary", "idf_weights")
_ARRAY_TYPES = re.compile(
    r"bool|u?int(4|8|16|32|64)|b?float(8_\w+|16|32|64)|complex(64|128)|string"
)
_SIZES = re.compile(r"(units|filters|\w+_dim|num_heads|\w*shape|\w*size|\w+_tokens|num_bins)")


@dataclass(frozen=True)
class Trust:
    """Whose objects a configuration may name besides those of Keras.

    Args:
        packages: names of Python packages, or of packages given to
            ``keras.saving.register_keras_serializable``.
        is_registered: says whether a name (``"package>Name"``) is registered in this process:
            such an object is the caller's own code and already imported.
    """

    packages: frozenset[str] = frozenset({"portable_models"})
    is_registered: Callable[[str], bool] = lambda name: False

    def covers(self, module: str | None, name: str) -> bool:
        """Whether an object of this module, registered under this name, may be built."""
        # The module holds the code. The package that a class is registered under is any word of its author
        # ("Zoo>Scale"), and counts only where the file names no module.
        owner = module or name.rpartition(">")[0]
        return self.is_registered(name) or owner.partition(".")[0] in self.packages


def check_configuration(
    config: Mapping[str, Json], trust: Trust, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Refuse a configuration that could do anything but describe a model.

    Args:
        config: the parsed ``config.json``.
        trust: packages that are accepted besides Keras.
        limits: bounds; ``dimension`` and ``total_bytes`` are used.

    Raises:
        FileError: an object holds bytecode, runs foreign code, reads a file from outside the archive,
            is neither Keras's nor of a trusted package, is malformed, or declares an impossible size.
    """
    if not isinstance(config.get("class_name"), str) or not isinstance(config.get("config"), dict):
        raise FileError("config.json does not describe a model: class_name and config are expected")
    for where, key, value in walk(config):
        if isinstance(value, Mapping) and "class_name" in value:
            _check_object(where, value, trust)
        elif key is not None and _SIZES.fullmatch(key):
            _check_size(where, value, limits)


def _check_object(where: str, value: Mapping[str, Json], trust: Trust) -> None:
    name, config = value["class_name"], value.get("config")
    module, registered = value.get("module"), value.get("registered_name")
    if not isinstance(name, str) or not all(
        text is None or isinstance(text, str) for text in (module, registered)
    ):
        raise FileError(f"{where}: class_name, module and registered_name must be text")
    if name == "__lambda__" or (name.rpartition(">")[2] == "Lambda" and not _is_named(config)):
        raise FileError(
            f"{where}: a Lambda with Python bytecode; it would run code from the file. "
            "Replace it by a registered layer or function and save the model again"
        )
    if name.startswith("__"):
        _check_plain(where, name, config)
    elif name == "function":
        _check_function(where, module, config, trust)
    else:
        _check_class(where, module, name, registered, config, trust)


def _check_class(
    where: str, module: str | None, name: str, registered: str | None, config: Json, trust: Trust
) -> None:
    if name in _FOREIGN_CODE:
        raise FileError(
            f"{where}: a {name} runs code from outside of Keras; it cannot be in a portable file"
        )
    key = registered or name
    if trust.covers(module, key):
        return
    ours = module is not None and (
        _KERAS.fullmatch(module) or (module == "keras" and name in _KERAS_TOP)
    )
    if not ours or key != name or not re.fullmatch(r"[A-Z]\w*", name):
        raise _untrusted(where, module, key)
    for item in _VOCABULARY:
        if isinstance(config, Mapping) and isinstance(config.get(item), str):
            raise FileError(
                f"{where}: {name} reads its {item} from the file {shorten(config[item])} outside the archive"
            )


def _check_function(where: str, module: str | None, name: Json, trust: Trust) -> None:
    if not isinstance(name, str):
        raise FileError(f"{where}: a function must be named by text, not by {type(name).__name__}")
    if trust.covers(module, name):
        return
    if module is None or not _FUNCTIONS.fullmatch(module) or not name.isidentifier():
        raise _untrusted(where, module, name)


def _check_plain(where: str, name: str, config: Json) -> None:
    if name not in _PLAIN or not isinstance(config, Mapping):
        raise FileError(
            f"{where}: {shorten(name)} is no kind of value that a portable file may hold"
        )
    if "dtype" in config and not _ARRAY_TYPES.fullmatch(str(config["dtype"])):
        raise FileError(f"{where}: an array of {shorten(config['dtype'])}; numbers are expected")


def _check_size(where: str, value: Json, limits: Limits) -> None:
    sizes = value if isinstance(value, list) else [value]
    whole = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool)]
    if any(size > limits.dimension for size in whole):
        raise FileError(f"{where}: a size of {shorten(max(whole), 20)}; no model is that large")
    # Each entry as four bytes; negative entries stand for an unknown size.
    if len(sizes) > 1 and 4 * math.prod(size for size in whole if size > 0) > limits.total_bytes:
        raise FileError(
            f"{where}: a shape of {shorten(value)} takes more than {limits.total_bytes} bytes"
        )


def _is_named(config: Json) -> bool:
    """Whether a Lambda layer's function, shape and mask are named functions, not code."""
    if not isinstance(config, Mapping) or config.get("function_type") not in (None, "function"):
        return False
    function = config.get("function")
    return isinstance(function, Mapping) and function.get("class_name") == "function"


def _untrusted(where: str, module: str | None, name: str) -> FileError:
    return FileError(
        f"{where}: names {shorten(name)} of the module {shorten(module)}, which is neither a part of a "
        "Keras model nor registered here; if it is yours, import its module first (--import MODULE in "
        "portable export) or name its package (--allow PACKAGE in portable check and convert, "
        "allow=[PACKAGE] in Python)"
    )
