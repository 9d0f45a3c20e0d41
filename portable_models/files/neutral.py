"""What ties a configuration to the backend that wrote it, and how it is taken out.

Pure JSON work: nothing is built, so it runs where no framework is installed.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from portable_models.files.document import Json, walk

# Keras's torch backend has its own optimizer classes and saves their private path; on JAX and TensorFlow
# that class then fails in fit with "expected Tensor as element 0" (seen with keras 3.6 to 3.15.1).
_BACKEND_OPTIMIZER = re.compile(r"keras\.src\.backend\.\w+\.optimizers(\.\w+)*")
_PUBLIC_OPTIMIZERS = "keras.optimizers"
_AUTO = "auto"


@dataclass(frozen=True)
class Change:
    """One thing that a conversion changed, or could not carry.

    Args:
        what: where it is, and what it is.
        before: what the source held.
        after: what the neutral file holds.
    """

    what: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.what}: {self.before} -> {self.after}"


def neutralise(config: Json) -> tuple[dict[str, Json], list[Change]]:
    """A configuration that means the same on every backend, and what was changed for it.

    - optimizers are named by their public path, so that each backend takes its own class;
    - ``jit_compile`` is ``"auto"``, so that each backend decides: what a file holds is what the *writing*
      backend decided (true on JAX, which would make a recurrent layer run for minutes on torch);
    - shared objects are numbered from 1, where Keras writes memory addresses; types of numbers, which
      mean the same shared or not, are not numbered.

    Args:
        config: the parsed and checked ``config.json``; it is not changed.
    """
    neutral: dict[str, Json] = copy.deepcopy(config)
    changes: list[Change] = []
    addresses: set[Json] = set()
    shared: dict[Json, int] = {}
    for where, _, value in walk(neutral):
        if not isinstance(value, dict):
            continue
        module = value.get("module")
        if isinstance(module, str) and _BACKEND_OPTIMIZER.fullmatch(module):
            _set(changes, where, value, "module", _PUBLIC_OPTIMIZERS)
            # A built-in class has no registered name; Keras refuses one that differs from the class.
            if ">" not in (value.get("registered_name") or ""):
                _set(changes, where, value, "registered_name", None)
        if (
            isinstance(value.get("compile_config"), dict)
            and "jit_compile" in value["compile_config"]
        ):
            _set(changes, f"{where}.compile_config", value["compile_config"], "jit_compile", _AUTO)
        if "shared_object_id" in value:
            addresses.add(value["shared_object_id"])
            if str(value.get("class_name")).endswith("DTypePolicy"):
                del value["shared_object_id"]
            else:
                number = shared.setdefault(value["shared_object_id"], len(shared) + 1)
                value["shared_object_id"] = number
    if addresses - set(shared.values()):
        changes.append(
            Change("config: shared_object_id", f"{len(addresses)} memory addresses", "1, 2, …")
        )
    return neutral, changes


def seeds_in(config: Json) -> list[Json]:
    """The seeds of everything that draws numbers while it trains, as ``config.json`` gives them.

    Keras's layers have ``seed`` in their own configuration: an integer, or None where there is none.
    Initializers have one too, but have drawn all they draw.
    """
    return [
        value["config"]["seed"]
        for _, _, value in walk(config)
        if isinstance(value, dict)
        and isinstance(value.get("config"), dict)
        and "seed" in value["config"]
        and ".initializers" not in str(value.get("module"))
    ]


def _set(changes: list[Change], where: str, value: dict[str, Json], key: str, after: Json) -> None:
    if value.get(key) != after:
        changes.append(Change(f"{where}.{key}", value.get(key), after))
        value[key] = after
