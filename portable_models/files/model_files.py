"""``save`` and ``load``: a live model to a neutral file, and back on any backend."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from portable_models._backend import current
from portable_models.files.archive import write_archive
from portable_models.files.budget import weight_budget
from portable_models.files.configuration import Trust
from portable_models.files.contents import Contents, StrPath, read_contents
from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits, one_line
from portable_models.files.passport import Passport, own_versions, sign
from portable_models.files.seeds import read_seeds, restore_seeds
from portable_models.files.unseeded import read_unseeded, restore_unseeded

# Importing them registers this project's own classes, which a file may name.
_OWN_PACKAGES = tuple(
    f"portable_models.{name}" for name in ("models", "layers", "losses", "metrics")
)

# Iterations and learning rate: all that an optimizer has before it is built by the first step.
_FRESH_OPTIMIZER = 2


def save(model: Any, path: StrPath, *, recipe: Mapping[str, Any] | None = None) -> None:
    """Write a Keras model as a ``.keras`` file that means the same on every backend.

    Plain Keras opens it too. Beyond what Keras writes it holds the states of the seed generators, so that
    training with Dropout resumes exactly, the versions of everything, and a digest.

    Args:
        model: a built Keras model, compiled or not.
        path: where to; the name ends in ``.keras``. A file that is there is replaced.
        recipe: the settings of the training, JSON-able; ``describe(path).passport.recipe`` gives them back.

    Raises:
        FileError: the model is not built, holds something that no other process could load (a lambda, an
            object that is not registered), the recipe is not JSON-able, or the file cannot be written.
    """
    import keras

    from portable_models._keras.serialization import serialized_without_tensorflow

    path = Path(path)
    if path.suffix != ".keras":
        raise FileError(f"{path}: expected a name that ends in .keras; Keras opens no other")
    if not model.built:
        raise FileError(
            f"{path}: the model {model.name!r} is not built; call it once, then save it"
        )
    try:
        settings = None if recipe is None else json.loads(json.dumps(dict(recipe)))
    except (TypeError, ValueError) as error:
        raise FileError(f"{path}: the recipe cannot be written as JSON: {error}") from error
    with _temporary(path.name) as temporary, warnings.catch_warnings():
        # Keras warns that a lambda is unsafe; it is refused below with a reason.
        warnings.filterwarnings("ignore", message="The object being serialized includes a `lambda`")
        with serialized_without_tensorflow():
            keras.saving.save_model(model, temporary)
        try:
            contents = read_contents(temporary, _trust(()), _own_limits(temporary))
        except FileError as error:
            reason = str(error).removeprefix(f"{temporary}: ")
            raise FileError(
                f"{path}: the model cannot move to another process: {reason}. Classes and functions of "
                "your own move once keras.saving.register_keras_serializable decorates them"
            ) from None
    passport = Passport(
        backend=current().name,
        versions=own_versions() | dict(current().versions()),
        seed_generators=read_seeds(model),
        recipe=settings,
        unseeded_state=read_unseeded(model, contents.config),
    )
    write_archive(path, sign(contents.members, contents.metadata, passport))


def load(
    path: StrPath,
    *,
    compile: bool = True,
    allow: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Any:
    """Read a ``.keras`` file, neutral or foreign, as a model on the backend of this process.

    The file is checked as a whole before Keras sees it, and always read in Keras's safe mode. Values that
    are NaN or infinite are accepted with a warning.

    On torch, Keras draws the masks of a Dropout without a seed from torch's own generator. Where torch
    wrote the file and ``compile`` is true, that generator is set when the model begins to train.

    Args:
        path: a ``.keras`` file written by any backend.
        compile: restore the optimizer with its state, the loss and the metrics too.
        allow: packages whose objects the file may hold. They are imported, so that they register them.
            Objects registered in this process already, Keras's and this project's need not be named.
        limits: bounds on sizes.

    Raises:
        FileError: the file is refused or does not fit together; the message says why in one line.
    """
    import keras

    path = Path(path)
    _import_packages((*_OWN_PACKAGES, *allow))
    contents = read_contents(path, _trust(allow), limits)
    try:
        with (
            _temporary(path.name) as temporary,
            weight_budget(contents.weights.elements),
            warnings.catch_warnings(),
        ):
            # It becomes an error below: a training that silently starts afresh is no resumed one.
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            write_archive(temporary, contents.members)
            model = keras.saving.load_model(temporary, compile=compile, safe_mode=True)
        _check_optimizer(model, contents)
        notes = [*contents.weights.notes, *_restore_seeds(model, contents, compile)]
        if compile and contents.passport is not None:
            restore_unseeded(model, contents.passport)
    except FileError as error:
        raise FileError(f"{path}: {error}") from error
    except (
        Exception
    ) as error:  # whatever Keras or a layer makes of a configuration that does not fit
        raise FileError(
            f"{path}: Keras {keras.__version__} cannot rebuild the model: "
            f"{type(error).__name__}: {one_line(str(error))}"
        ) from error
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return model


def _restore_seeds(model: Any, contents: Contents, required: bool) -> list[str]:
    """Restore the seed generators; what hinders it is an error where training is to be resumed."""
    if contents.passport is None or contents.passport.seed_generators is None:
        return []
    try:
        restore_seeds(model, contents.passport.seed_generators)
    except FileError as error:
        if required:
            raise
        return [str(error)]
    return []


def _check_optimizer(model: Any, contents: Contents) -> None:
    saved = contents.weights.optimizer_variables
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or saved <= _FRESH_OPTIMIZER:
        return
    if len(optimizer.variables) != saved:
        raise FileError(
            f"the file holds {saved} variables of the optimizer, but {optimizer.name!r} has "
            f"{len(optimizer.variables)} after loading, so its state cannot be restored; "
            "load with compile=False and compile the model yourself"
        )


def _trust(allow: Sequence[str]) -> Trust:
    import keras

    return Trust(
        Trust().packages | set(allow),
        lambda name: keras.saving.get_registered_object(name) is not None,
    )


def _import_packages(packages: Sequence[str]) -> None:
    for name in packages:
        # A name given to register_keras_serializable need not be a package that can be imported.
        if name.isidentifier() and importlib.util.find_spec(name) is None:
            continue
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)


def _own_limits(path: Path) -> Limits:
    """Limits for a file that this process has just written itself: as large as it is."""
    return Limits(total_bytes=max(DEFAULT_LIMITS.total_bytes, 2 * path.stat().st_size))


@contextlib.contextmanager
def _temporary(name: str) -> Iterator[Path]:
    """A path for a file that only this user can read and that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="portable-models-") as folder:
        yield Path(folder) / name
